"""Packages that only some work needs, with their extras."""

from __future__ import annotations

import importlib.util

from foleybench.errors import FoleyError

EXTRAS = {
    "torchaudio": "encoders",
    "torchvision": "encoders",
    "hear21passt": "encoders",
    "timm": "encoders",
    "open_clip": "encoders",
    "transformers": "encoders",
    "yt_dlp": "fetch",
    "pandas": "tables",
    "aiohttp": "remote",
    "accelerate": "train",
    "tensorboard": "train",
    "ray": "ray",
    "choix": "people",
}


def require_package(name: str, what: str) -> None:
    """Raise before any work when a package is missing.

    Args:
        name: Its module.
        what: What needs it, the subject of the message.

    Raises:
        FoleyError: It is not installed; the extra that brings it is named.
    """
    if importlib.util.find_spec(name) is None:
        raise FoleyError(_words(name, what))


def explained(error: ModuleNotFoundError, what: str) -> FoleyError | None:
    """Return what to install for a module that was not found, or None for one that no extra brings: a fault of ours."""
    name = (error.name or "").partition(".")[0]
    return FoleyError(_words(name, what)) if name in EXTRAS else None


def _words(name: str, what: str) -> str:
    return f"{what} needs the package {name}, which is not installed: `pip install 'foleybench[{EXTRAS[name]}]'`."
