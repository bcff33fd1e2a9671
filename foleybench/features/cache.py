"""Features on disk, under the hash of their inputs.

A cached feature is believed because of its key, never because a file exists: other audio, another crop, other weights
or a new encoder version give another key. Every file carries a checksum of its key and content, and one that does not
agree with its own is an absent one; so are files of before there was a checksum. A cache that cannot be written (full
disk, no permission) is switched off, which costs time and never a run.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.api.encoder import Encoder, Features
from foleybench.clips import AudioArray
from foleybench.errors import why
from foleybench.files import file_sha256, temporary_beside

# First bytes of a file: what it is, and the layout of what follows (SHA-256 of key and archive, then the archive).
_MARK = b"foleybench features 1\n"
_DIGEST_BYTES = hashlib.sha256().digest_size


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
    """A folder of files, one a key: a mark, a checksum, and a ``.npz`` archive.

    Attributes:
        folder: Where they lie, or None to keep nothing.
        hits: How many features were found.
        misses: How many had to be made.
    """

    def __init__(self, folder: Path | None, tell: Callable[[str], object] | None = None) -> None:
        """Set it up; nothing is read or made yet.

        Args:
            folder: Where the files lie, or None to keep nothing.
            tell: Is called with a sentence when the cache is switched off; default: standard error.
        """
        self.folder = folder
        self.hits = 0
        self.misses = 0
        self._tell = tell or tell_on_stderr
        self._writable = True

    def get(self, key: str) -> Features | None:
        """Return the features of a key, or None."""
        features = _read(_path(self.folder, key), key) if self.folder else None
        self.hits += features is not None
        self.misses += features is None
        return features

    def put(self, key: str, features: Features) -> None:
        """Keep features under a key, atomically; after the first failure nothing more is kept, which is told."""
        if self.folder is None or not self._writable:
            return
        path, temporary = _path(self.folder, key), None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = temporary_beside(path)
            temporary.write_bytes(_entry(key, features))
            temporary.replace(path)
        except OSError as error:
            self._writable = False
            self._tell(f"the feature cache {self.folder} cannot be written ({why(error)}): going on without it")
            if temporary:
                with contextlib.suppress(OSError):  # a later run removes it
                    temporary.unlink(missing_ok=True)


def tell_on_stderr(sentence: str) -> None:
    """Write a sentence to standard error, on a line of its own."""
    sys.stderr.write(f"foleybench: {sentence}\n")


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key[2:]}.npz"


def _digest(key: str, archive: bytes | memoryview) -> bytes:
    # The key is in it, so that an entry under another one's name is not believed either.
    digest = hashlib.sha256(key.encode())
    digest.update(archive)
    return digest.digest()


def _entry(key: str, features: Features) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.asarray(value) for name, value in features.items()})  # type: ignore[arg-type]
    archive = buffer.getbuffer()
    return b"".join((_MARK, _digest(key, archive), archive))


def _read(path: Path, key: str) -> dict[str, npt.NDArray[Any]] | None:
    """Return what is in an entry; None when it is absent, or not whole to the last bit."""
    try:
        content = memoryview(path.read_bytes())
    except OSError:
        return None
    start = len(_MARK) + _DIGEST_BYTES
    archive = content[start:]
    if content[: len(_MARK)] != _MARK or content[len(_MARK) : start] != _digest(key, archive):
        return None
    with np.load(io.BytesIO(archive), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
