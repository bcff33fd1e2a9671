"""Print hashes of rendered clips, to compare two machines or versions.

Run ``python benchmarks/rendered_bits.py`` in both and compare the lines: a clip of every class, its audio and its
frames before any encoding. The last line says what made them.
"""

from __future__ import annotations

import argparse
import hashlib
import platform

import numpy as np
import scipy

from foleybench.synthesis.splits import CorpusOptions
from foleybench.synthfoley import class_names, render_clip
from foleybench.synthfoley.splits import split_specs


def main() -> None:
    """Render and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1, help="clips of each class, from the test split")
    args = parser.parse_args()
    for spec in split_specs("test", CorpusOptions())[: args.clips * len(class_names())]:
        clip = render_clip(spec)
        assert clip.audio is not None
        assert clip.frames is not None
        hashes = (hashlib.sha256(made.tobytes()).hexdigest()[:16] for made in (clip.audio, clip.frames))
        print(spec.label, *hashes)
    print(f"NumPy {np.__version__}, SciPy {scipy.__version__}, {' '.join(platform.libc_ver())}, {platform.machine()}")


if __name__ == "__main__":
    main()
