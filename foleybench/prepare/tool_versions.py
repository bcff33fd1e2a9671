"""List the library versions that decide a prepared clip's bytes."""

from __future__ import annotations

import functools

import av
import soundfile

from foleybench.runtime.version import PACKAGE_VERSION


@functools.lru_cache(maxsize=1)
def tool_versions() -> dict[str, str]:
    """Return the versions by name."""
    codec = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return {
        "foleybench": PACKAGE_VERSION,
        "pyav": av.__version__,
        "libavcodec": codec,
        "libsndfile": soundfile.__libsndfile_version__,
    }
