"""CPU seconds of a training step of the alignment stage and of a clip's condition, at size tiny, per video encoder.

One thread, made maps and tokens, random weights: how long a step takes does not depend on what was learned. With
``--before`` an earlier checkout of this repository does the same in turn, and the ratio stands beside it. A hash of
what came out says whether both have the same bits.

    OMP_NUM_THREADS=1 python benchmarks/train_step.py
    OMP_NUM_THREADS=1 python benchmarks/train_step.py --before CHECKOUT
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from foleymodels._alignment.network import Alignment
from foleymodels._alignment.settings import AlignmentSettings
from foleymodels._parts.signal import SignalSettings

HERE = Path(__file__).resolve()
ENCODERS = ("maps", "av_contrast")


def work_of(encoder: str) -> dict[str, Callable[[], Tensor]]:
    """Return what is timed with one video encoder: a step on a batch, and the condition of one clip."""
    torch.manual_seed(0)
    signal, settings = SignalSettings.sizes()["tiny"], AlignmentSettings.sizes()["tiny"]
    net = Alignment(signal, dataclasses.replace(settings, video_encoder=encoder))
    n_frames, n_tokens = signal.frames(settings.vama_crop_s), signal.tokens(settings.vama_crop_s)
    shape = (settings.vama_batch, n_frames, signal.cells, signal.cells, 6)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8)
    tokens = torch.randn(settings.vama_batch, n_tokens, signal.mel.token_dim)
    mask = torch.rand(settings.vama_batch, n_tokens) < settings.mask_ratio

    def step() -> Tensor:
        net.zero_grad()
        predicted, _, _ = net(frames, tokens, mask, n_tokens)
        ((predicted - tokens) ** 2).mean().backward()
        return torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])

    @torch.inference_mode()
    def condition() -> Tensor:
        return net.condition(frames[:1], n_tokens)

    return {"step": step, "condition of a clip": condition}


def once(encoder: str) -> dict[str, tuple[float, str]]:
    """Return CPU seconds, the better of two after one to warm up, and a hash of the outcome."""
    found = {}
    for name, work in work_of(encoder).items():
        seconds, out = [], work()
        for _ in range(2):
            began = time.process_time()
            out = work()
            seconds.append(time.process_time() - began)
        found[name] = (min(seconds), hashlib.sha256(out.detach().numpy().tobytes()).hexdigest())
    return found


def run(code: Path, encoder: str) -> dict[str, tuple[float, str]]:
    """Measure some code in a process of its own."""
    paths = os.pathsep.join([str(code), str(code / "models")])
    words = [sys.executable, str(HERE), "--once", encoder]
    done = subprocess.run(words, cwd=code, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, check=True)
    found: dict[str, tuple[float, str]] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="an earlier state, measured in turn")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    parser.add_argument("--once", choices=ENCODERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        print(json.dumps(once(args.once)))
        return
    codes = ([args.before.resolve()] if args.before else []) + [HERE.parents[1]]
    print("| video encoder | what | before s | now s | ratio | same bits |\n|---|---|--:|--:|--:|---|")
    for encoder in ENCODERS:
        rounds = [[run(code, encoder) for code in codes] for _ in range(args.rounds)]
        for name in rounds[0][0]:
            seconds = [statistics.median(found[index][name][0] for found in rounds) for index in range(len(codes))]
            cells = ["", f"{seconds[0]:.3f}", "", ""]
            if args.before:
                ratio = statistics.median(found[0][name][0] / found[1][name][0] for found in rounds)
                same = len({found[index][name][1] for found in rounds for index in (0, 1)}) == 1
                cells = [f"{seconds[0]:.3f}", f"{seconds[1]:.3f}", f"{ratio:.2f}", "yes" if same else "no"]
            print(f"| {encoder} | {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
