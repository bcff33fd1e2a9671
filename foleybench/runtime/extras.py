"""Name the extras of packages that only some work needs."""

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
    "cv2": "flow",
}


def require_package(name: str, what: str) -> None:
    """Raise before any work when a package is missing.

    Args:
        name: The package's module.
        what: What needs the package, the subject of the message.

    Raises:
        FoleyError: The package is not installed; the message names its extra.
    """
    if importlib.util.find_spec(name) is None:
        raise FoleyError(_words(name, what))


def explained(error: ModuleNotFoundError, what: str) -> FoleyError | None:
    """Return the advice for a module that was not found, or None for one of no extra, which is a fault of ours."""
    name = (error.name or "").partition(".")[0]
    return FoleyError(_words(name, what)) if name in EXTRAS else None


def _words(name: str, what: str) -> str:
    return f"{what} needs the package {name}, which is not installed: `pip install 'foleybench[{EXTRAS[name]}]'`."
