"""Keep features on disk under the hash of their inputs.

A cached feature is believed because of its key, never because a file exists: other audio, another crop, other weights
or a new encoder version give another key. A cache that cannot be written (full disk, no permission) is switched off,
which costs time and never a run.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from foleybench.api.encoder import Encoder, Features
from foleybench.clips import AudioArray
from foleybench.errors import why
from foleybench.features.store import ENDING, FeatureStore
from foleybench.files import file_sha256


def default_folder() -> Path:
    """Return the folder of the cache: ``$FOLEYBENCH_CACHE`` or ``~/.cache/foleybench/features``."""
    named = os.environ.get("FOLEYBENCH_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "foleybench" / "features"


def audio_key(audio: AudioArray, rate_hz: int) -> str:
    """Return the name of samples (N,) at a rate in Hz in cache keys: made once per audio, for all its encoders."""
    return f"{rate_hz}|{len(audio)}|{hashlib.sha256(np.ascontiguousarray(audio).tobytes()).hexdigest()}"


def feature_key(
    name: str,
    encoder: Encoder,
    *,
    audio: str = "",
    video: str = "",
    caption: str = "",
    frontend: str = "plain",
    earlier: Sequence[str] = (),
    precision: str = "",
) -> str:
    """Return the key of a feature.

    Args:
        name: Registry name of the encoder.
        encoder: The encoder.
        audio: ``audio_key`` of the samples, after the policy for length; "" when the encoder uses no audio.
        video: Hash of the video for encoders that use the video, else "".
        caption: The caption for encoders that read it, else "".
        frontend: Name of the front end before the encoder.
        earlier: Keys of the features that the encoder is given.
        precision: Of the network, "" for float32.
    """
    weights = file_sha256(encoder.weights.path) if encoder.weights else ""
    heard = f"{audio}|{frontend}" if audio else ""
    recipe = f"{name}|{encoder.version}|{weights}|{heard}|{video}|{','.join(earlier)}|{caption}"
    recipe += f"|{precision}" if precision else ""
    return hashlib.sha256(recipe.encode()).hexdigest()


class FeatureCache:
    """A folder of stores, one an encoder.

    Attributes:
        folder: Folder of the stores, or None to keep nothing.
        hits: Number of features that were found.
        misses: Number of features that had to be made.
    """

    def __init__(self, folder: Path | None, tell: Callable[[str], object] | None = None) -> None:
        """Set up the cache; no file is made yet.

        Args:
            folder: Folder of the files, or None to keep nothing.
            tell: Is called with a sentence when the cache is switched off, or holds what is not read; default:
                standard error.
        """
        self.folder = folder
        self.hits = 0
        self.misses = 0
        self._tell = tell or tell_on_stderr
        self._writable = True
        self._stores: dict[str, FeatureStore] = {}

    def get(self, encoder: str, keys: Sequence[str]) -> dict[str, Features]:
        """Return the features of an encoder by key, of those keys that are there."""
        found = self._store(self.folder, encoder).get(keys) if self.folder else {}
        self.hits += len(found)
        self.misses += len(set(keys)) - len(found)
        return found

    def put(self, encoder: str, entries: Mapping[str, Features]) -> None:
        """Keep features of an encoder by key; after the first failure the cache is switched off, with a message."""
        if self.folder is None or not self._writable or not entries:
            return
        try:
            self._store(self.folder, encoder).put(entries)
        except (OSError, sqlite3.Error) as error:
            self._writable = False
            reason = why(error) if isinstance(error, OSError) else str(error)
            self._tell(f"the feature cache {self.folder} cannot be written ({reason}): going on without the cache")

    def _store(self, folder: Path, encoder: str) -> FeatureStore:
        if encoder not in self._stores:
            if not self._stores and _has_old_files(folder):
                self._tell(
                    f"the feature cache {folder} holds folders of an older layout, which are not read. "
                    "Remove those with names of two hex digits to have the space back."
                )
            self._stores[encoder] = FeatureStore(folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', encoder)}{ENDING}")
        return self._stores[encoder]


def tell_on_stderr(sentence: str) -> None:
    """Write a sentence to standard error, on a line of its own."""
    sys.stderr.write(f"foleybench: {sentence}\n")


def _has_old_files(folder: Path) -> bool:
    """Return whether there are files of the layout up to version 0.1: one a feature, as ``ab/cdef.npz``."""
    return next(folder.glob("[0-9a-f][0-9a-f]/*.npz"), None) is not None
