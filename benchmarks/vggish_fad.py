"""VGGish FAD: ours against frechet-audio-distance's own code: same sounds, same random weights, two cores, in turn.

Both read two folders of 16 kHz WAV files and go from files to the distance. The peer runs in a Python of its own (it
needs numpy < 2) with two threads; we run two processes of one thread, as ``foleybench eval --jobs 2`` does. Imports and
the loading of weights are left out on both sides. ``laion_clap`` and ``encodec`` are stubbed for the peer, since it
imports them whether it uses them or not; ``--torchvggish`` is a checkout of harritaylor/torchvggish, from which it
would load its network by ``torch.hub``. Prints wall seconds, CPU seconds and values, round by round.

    python benchmarks/vggish_fad.py --peer-python PYTHON --torchvggish DIR
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import made_set
import numpy as np

from foleybench.api.encoder import Encode, Signal
from foleybench.encoders._inputs.vggish_patches import RATE_HZ, log_mel_patches
from foleybench.encoders._nets import vggish
from foleybench.media.audio import read_sound, write_wav
from foleybench.metrics._math.frechet import frechet_distance

SECONDS = 10.0
PEER = """
import json, sys, time
from unittest.mock import MagicMock
for name in ("laion_clap", "encodec", "torchlibrosa", "torchlibrosa.stft", "torchlibrosa.augmentation"):
    sys.modules[name] = MagicMock()
sys.path.insert(0, sys.argv[1])
import numpy as np
import torch
from torchvggish.vggish import VGGish
torch.set_num_threads(2)

def load(repo_or_dir, model):
    net = VGGish(urls=None, device=torch.device("cpu"), pretrained=False, preprocess=True, postprocess=False)
    net.load_state_dict(torch.load(sys.argv[2], weights_only=True), strict=False)
    return net.eval()

torch.hub.load = load
from frechet_audio_distance import FrechetAudioDistance
fad = FrechetAudioDistance(model_name="vggish", sample_rate=16000, use_pca=False, use_activation=False, verbose=False)
wall, cpu = time.perf_counter(), time.process_time()
value = fad.score(sys.argv[3], sys.argv[4], dtype="float32")
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, float(np.real(value))]))
"""
_loaded: dict[str, Encode] = {}


def _prepare(home: Path, n_clips: int) -> Path:
    import torch
    from agreement import random_weights

    weights = home / "vggish.pth"
    torch.save(random_weights(vggish.new_net(), scale=1.4).state_dict(), weights)
    for folder, first in (("reference", 0), ("generated", 10**6)):
        for index in range(n_clips):
            sound = made_set.sound(first + index, SECONDS, RATE_HZ)
            # No constant part: we take it away, the peer keeps it.
            write_wav(home / folder / f"{index:04d}.wav", sound - sound.mean(), RATE_HZ)
    return weights


def _start(weights: Path) -> None:
    import torch

    torch.set_num_threads(1)
    _loaded["vggish"] = vggish.encode_with(vggish.load_weights(weights), log_mel_patches, "cpu")


def _features(path: Path) -> tuple[Any, float]:
    started = time.process_time()
    audio, _ = read_sound(path, "mean")
    frames = _loaded["vggish"]([Signal(audio=audio, duration_s=SECONDS)])[0]["frames"]
    return frames, time.process_time() - started


def ours(home: Path, weights: Path, jobs: int) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and the distance."""
    files = [sorted((home / folder).iterdir()) for folder in ("reference", "generated")]
    with get_context("spawn").Pool(jobs, _start, (weights,)) as pool:
        pool.map(_features, files[0][:jobs], chunksize=1)
        wall, cpu = time.perf_counter(), time.process_time()
        found = pool.map(_features, files[0] + files[1], chunksize=4)
        rows = [np.concatenate([f for f, _ in part]) for part in (found[: len(files[0])], found[len(files[0]) :])]
        value = frechet_distance(rows[0].astype(np.float64), rows[1].astype(np.float64))
        spent = time.process_time() - cpu + sum(seconds for _, seconds in found)
        return time.perf_counter() - wall, spent, value


def peers(home: Path, weights: Path, python: str, torchvggish: str) -> tuple[float, float, float]:
    """Return the same of the peer.

    Raises:
        SystemExit: It failed; the message is what it said.
    """
    words = [torchvggish, str(weights), str(home / "reference"), str(home / "generated")]
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONPATH": ""}
    done = subprocess.run([python, "-c", PEER, *words], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    wall, cpu, value = json.loads(done.stdout.splitlines()[-1])
    return wall, cpu, value


def main() -> None:
    """Run both in turn and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True, help="Python with frechet-audio-distance")
    parser.add_argument("--torchvggish", required=True, help="checkout of harritaylor/torchvggish")
    parser.add_argument("--clips", type=int, default=200, help="clips of 10 s (default: 200)")
    parser.add_argument("--jobs", type=int, default=2, help="our processes (default: 2)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    args = parser.parse_args()
    print("| clips | ours s | peer s | ratio | ours CPU s | peer CPU s | ratio | ours | peer | relative difference |")
    print("|--:" * 10 + "|")
    with tempfile.TemporaryDirectory() as name:
        weights = _prepare(Path(name), args.clips)
        for _ in range(args.rounds):
            one = ours(Path(name), weights, args.jobs)
            two = peers(Path(name), weights, args.peer_python, args.torchvggish)
            cells = [f"{a:.1f} | {b:.1f} | {b / a:.2f}" for a, b in zip(one[:2], two[:2], strict=True)]
            values = f"{one[2]:.6f} | {two[2]:.6f} | {abs(one[2] - two[2]) / two[2]:.1e}"
            print(f"| {args.clips} | {' | '.join(cells)} | {values} |", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
