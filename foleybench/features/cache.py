"""Features on disk, under the hash of what they were made from: sound, picture, encoder, weights and version.

A cached feature is believed because of its key, never because a file exists: other audio, another crop, other weights
or a new encoder version give another key. A broken cache file is an absent one.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.api.encoder import Encoder, Features
from foleybench.clips import AudioArray
from foleybench.files import file_sha256


def default_folder() -> Path:
    """Return the folder of the cache: ``$FOLEYBENCH_CACHE`` or ``~/.cache/foleybench/features``."""
    named = os.environ.get("FOLEYBENCH_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "foleybench" / "features"


def feature_key(
    name: str,
    encoder: Encoder,
    *,
    sound: tuple[AudioArray, int] | None,
    picture: str = "",
    caption: str = "",
    frontend: str = "plain",
    earlier: Sequence[str] = (),
) -> str:
    """Return the key of a feature.

    Args:
        name: Registry name of the encoder.
        encoder: The encoder.
        sound: The samples (N,) at their own rate, after the policy for length, and that rate; None when the encoder
            does not hear it.
        picture: What names the picture for encoders that look at it, else "".
        caption: The caption for encoders that read it, else "".
        frontend: Name of what happens to the sound before the encoder hears it.
        earlier: Keys of the features that the encoder is given.
    """
    weights = file_sha256(encoder.weights.path) if encoder.weights else ""
    audio, rate_hz = sound if sound else (np.zeros(0, dtype=np.float32), 0)
    heard = f"{rate_hz}|{len(audio)}|{frontend if sound else ''}"
    recipe = f"{name}|{encoder.version}|{weights}|{heard}|{picture}|{','.join(earlier)}|{caption}"
    return hashlib.sha256(recipe.encode() + np.ascontiguousarray(audio).tobytes()).hexdigest()


class FeatureCache:
    """A folder of ``.npz`` files, one a key.

    Attributes:
        folder: Where they lie, or None to keep nothing.
        hits: How many features were found.
        misses: How many had to be made.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.hits = 0
        self.misses = 0

    def get(self, key: str) -> Features | None:
        """Return the features of a key, or None."""
        features = self._read(self._path(key)) if self.folder else None
        self.hits += features is not None
        self.misses += features is None
        return features

    def put(self, key: str, features: Features) -> None:
        """Keep features under a key, atomically."""
        if self.folder is None:
            return
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with temporary.open("wb") as handle:
            np.savez(handle, **{name: np.asarray(value) for name, value in features.items()})  # type: ignore[arg-type]
        temporary.replace(path)

    def _path(self, key: str) -> Path:
        if self.folder is None:
            raise ValueError("a cache without a folder has no paths")
        return self.folder / key[:2] / f"{key[2:]}.npz"

    @staticmethod
    def _read(path: Path) -> dict[str, npt.NDArray[Any]] | None:
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None
