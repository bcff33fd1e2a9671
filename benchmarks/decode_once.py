"""Decoding and resampling of a full protocol: each audio decoded once and resampled once per rate, against passes.

Both sides read the same FLAC files and call the same functions, in turn, on one thread; what differs is how often.
"Per encoder": every encoder that hears decodes and resamples for itself, as av-benchmark (up to seven passes) and
audioldm_eval do. "Per metric": every metric does. Nothing is encoded. Median CPU seconds over rounds.

    OMP_NUM_THREADS=1 python benchmarks/decode_once.py
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import made_set
import numpy as np
import soundfile

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.api.protocol import Protocol
from foleybench.features.featurise import encoders_of, needs_of
from foleybench.features.frontend import apply as apply_frontend
from foleybench.media.audio import read_sound

SECONDS = 10.0


def rates_of(protocol: Protocol) -> tuple[list[int], list[int]]:
    """Return the rates in Hz that a protocol's encoders want, and those that its metrics want, one after the other."""
    metrics: dict[str, Metric] = {name: registry.load("metrics", name) for name in protocol.metrics}
    hearing = [encoder.rate_hz for encoder in encoders_of(needs_of(metrics)).values() if encoder.hears]
    each = [encoders_of(needs_of({name: metric})) for name, metric in metrics.items()]
    return hearing, [encoder.rate_hz for found in each for encoder in found.values() if encoder.hears]


def passes(files: Sequence[Path], protocol: Protocol, rates: Sequence[int]) -> float:
    """Return the CPU seconds of one pass over all files per rate."""
    started = time.process_time()
    for rate_hz in rates:
        for path in files:
            audio, own_hz = read_sound(path, protocol.frontend.channels)
            apply_frontend(protocol.frontend, audio, own_hz, rate_hz)
    return time.process_time() - started


def once(files: Sequence[Path], protocol: Protocol, rates: Sequence[int]) -> float:
    """Return the CPU seconds of one decoding and one resampling per different rate."""
    started = time.process_time()
    for path in files:
        audio, own_hz = read_sound(path, protocol.frontend.channels)
        for rate_hz in sorted(set(rates)):
            apply_frontend(protocol.frontend, audio, own_hz, rate_hz)
    return time.process_time() - started


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40, help="sounds of 10 s (default: 40)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    parser.add_argument("--protocols", nargs="+", default=["avbench", "foleybench"], help="which protocols")
    args = parser.parse_args()
    print(
        "| protocol | own rate Hz | rates | once s | per encoder s (passes) | ratio | per metric s (passes) | ratio |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as name:
        for own_hz in (44100, 48000):
            files = []
            for index in range(args.clips):
                files.append(Path(name) / f"{own_hz}_{index}.flac")
                data = io.BytesIO()
                soundfile.write(data, made_set.sound(index, SECONDS, own_hz), own_hz, format="FLAC", subtype="PCM_16")
                files[-1].write_bytes(data.getvalue())
            for key in args.protocols:
                print(row(key, own_hz, files, args.rounds), flush=True)


def row(key: str, own_hz: int, files: Sequence[Path], rounds: int) -> str:
    """Return a row of the table."""
    protocol: Protocol = registry.load("protocols", key)
    encoders, metrics = rates_of(protocol)
    ways = ((once, encoders), (passes, encoders), (passes, metrics))
    spent = np.median([[way(files, protocol, rates) for way, rates in ways] for _ in range(rounds)], axis=0)
    cells = [f"{spent[i]:.2f} ({len(ways[i][1])}) | {spent[i] / spent[0]:.2f}" for i in (1, 2)]
    return f"| {key} | {own_hz} | {len(set(encoders))} | {spent[0]:.2f} | {cells[0]} | {cells[1]} |"


if __name__ == "__main__":
    main()
