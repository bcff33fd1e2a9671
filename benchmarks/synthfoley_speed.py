"""How fast SynthFoley renders: seconds of clip per second of one core, per class, without and with encoding.

Run ``python benchmarks/synthfoley_speed.py``; it writes nothing but the table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from foleybench.media.audio import flac_bytes  # noqa: E402
from foleybench.media.read import encode_mp4  # noqa: E402
from foleybench.synthfoley import ClipSpec, class_names, render_clip  # noqa: E402


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=12, help="clips per class")
    parser.add_argument("--pixels", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--rate", type=int, default=16000)
    args = parser.parse_args()
    rows = []
    for label in class_names():
        specs = [_spec(label, k, args) for k in range(args.clips)]
        _render(specs[0])
        rows.append((label, _median_s(_render, specs), _median_s(_render_and_encode, specs)))
    _print(rows, args.seconds)


def _spec(label: str, k: int, args: argparse.Namespace) -> ClipSpec:
    return ClipSpec(
        clip_id=f"bench{k}_000000",
        source_id=f"bench{k}",
        label=label,
        split="train",
        duration_s=args.seconds,
        fps=args.fps,
        pixels=args.pixels,
        rate_hz=args.rate,
    )


def _render(spec: ClipSpec) -> None:
    render_clip(spec)


def _render_and_encode(spec: ClipSpec) -> None:
    clip = render_clip(spec)
    assert clip.frames is not None
    assert clip.audio is not None
    encode_mp4(clip.frames, spec.fps)
    flac_bytes(clip.audio, clip.rate_hz)


def _median_s(work: Callable[[ClipSpec], None], specs: list[ClipSpec]) -> float:
    times_s = []
    for spec in specs:
        start_s = time.process_time()
        work(spec)
        times_s.append(time.process_time() - start_s)
    return statistics.median(times_s)


def _print(rows: list[tuple[str, float, float]], seconds: float) -> None:
    print("processor time, one thread; x = times real time")
    print(f"{'class':14} {'render ms':>10} {'x':>7} {'encoded ms':>11} {'x':>7}")
    middle = ("median", statistics.median(r[1] for r in rows), statistics.median(r[2] for r in rows))
    for label, plain_s, encoded_s in [*rows, middle]:
        plain = f"{plain_s * 1e3:10.1f} {seconds / plain_s:7.0f}"
        print(f"{label:14} {plain} {encoded_s * 1e3:11.1f} {seconds / encoded_s:7.0f}")


if __name__ == "__main__":
    main()
