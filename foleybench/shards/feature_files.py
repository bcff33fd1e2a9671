"""Write one clip's features as a file.

The file is an ``.npz`` whose bytes depend only on the arrays.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

ENDING = ".npz"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def features_bytes(features: Mapping[str, npt.NDArray[Any]], *, half: bool = False) -> bytes:
    """Return features as an ``.npz`` file without compression; the same arrays give the same bytes.

    Args:
        features: Arrays by layer.
        half: Whether to keep floating-point arrays as float16.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for layer, value in sorted(features.items()):
            array = np.asarray(value)
            kept = array.astype(np.float16) if half and np.issubdtype(array.dtype, np.floating) else array
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(kept).reshape(kept.shape), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{layer}.npy", _EPOCH), content.getvalue())
    return buffer.getvalue()


def read_features(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file that ``features_bytes`` made."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return {layer: stored[layer] for layer in stored.files}


def decode_features(sample: Mapping[str, Any]) -> dict[str, dict[str, npt.NDArray[Any]]]:
    """Return the features among the fields of a sample, by encoder."""
    found = {field.removesuffix(ENDING): data for field, data in sample.items() if field.endswith(ENDING)}
    return {encoder: read_features(data) for encoder, data in found.items()}
