"""Check and measure everything that runs on a GPU, within a time, into one JSON-lines file.

    python benchmarks/gpu_check.py --out DIR --seconds 570

It needs torch, NumPy, SciPy, safetensors and tqdm, and this repository; no codec, no index, no data: clips are rendered
by SynthFoley in memory. Every phase is a process with a deadline of its own, so that one that hangs, fails or breaks
the GPU's context costs only itself; time that a phase leaves goes to the training of ``base``. Without a GPU the same
phases run in small form, which is a test and measures nothing. DIR/gpu_check.jsonl has the findings, a line each; the
exit code is 0 when every phase was done and every comparison within its limit, else 1.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from pathlib import Path

os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # the phases are forked: this process stays off the GPU
_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "models")]

import torch  # noqa: E402

from benchmarks.gpu.agreement import agreement, bfloat16  # noqa: E402
from benchmarks.gpu.encoders import encoders  # noqa: E402
from benchmarks.gpu.material import render  # noqa: E402
from benchmarks.gpu.phases import Plan, Report, Work, run_phase  # noqa: E402
from benchmarks.gpu.training import (  # noqa: E402
    base_batches,
    base_training,
    evaluation,
    read_records,
    tiny_steps,
    without_curves,
)

_PACKAGES = ("torch", "numpy", "scipy", "safetensors", "tqdm", "av", "soundfile", "soxr", "webdataset", "matplotlib")


def versions(plan: Plan, report: Report) -> None:
    """Record the machine and the packages."""
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    report.add("packages", python=platform.python_version(), **found)
    report.add("figures", left_out=without_curves())
    cuda = torch.device(plan.device).type == "cuda"
    facts = torch.cuda.get_device_properties(0) if cuda else None
    report.add(
        "device",
        device=plan.device,
        small=plan.small,
        name=facts.name if facts else platform.processor(),
        gib=facts.total_memory / 2**30 if facts else None,
        cuda=torch.version.cuda if cuda else None,
        cudnn=torch.backends.cudnn.version() if cuda else None,
        cpus=os.cpu_count(),
    )


# Each with its share of the whole time; ``base training`` takes what the phases before it have left, too.
PHASES: tuple[tuple[str, Work, float], ...] = (
    ("versions", versions, 0.03),
    ("render", render, 0.13),
    ("agreement", agreement, 0.12),
    ("bfloat16", bfloat16, 0.05),
    ("tiny steps", tiny_steps, 0.07),
    ("base batches", base_batches, 0.16),
    ("base training", base_training, 0.28),
    ("evaluation", evaluation, 0.06),
    ("encoders", encoders, 0.09),
)


def main() -> int:
    """Run all phases; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="a new folder for the findings")
    parser.add_argument("--seconds", type=float, default=570.0, help="time for everything (default: 570)")
    parser.add_argument("--device", default="auto", help="torch device; auto (the default) is CUDA where it is there")
    parser.add_argument("--jobs", type=int, default=16, help="processes that render (default: 16)")
    args = parser.parse_args()
    started = time.monotonic()
    device = args.device if args.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    plan = Plan(out=args.out, device=device, small=torch.device(device).type == "cpu", jobs=args.jobs)
    if plan.records.exists():
        parser.error(f"{plan.records} is there already; name another folder with --out.")
    plan.out.mkdir(parents=True, exist_ok=True)
    without_curves()
    outcomes = {}
    for index, (name, work, share) in enumerate(PHASES):
        left_s = args.seconds - (time.monotonic() - started)
        later_s = args.seconds * sum(later for _, _, later in PHASES[index + 1 :])
        wanted_s = left_s - later_s if work is base_training else args.seconds * share
        outcomes[name] = run_phase(name, work, plan, max(0.0, min(wanted_s, left_s)))
        print(f"{name}: {outcomes[name]}", flush=True)
    off = [f"{line['phase']}: {line['what']}" for line in read_records(plan.records) if line.get("within") is False]
    for words in off:
        print(f"beyond its limit: {words}")
    print(f"{plan.records}, {time.monotonic() - started:.0f} s")
    return 0 if not off and set(outcomes.values()) == {"done"} else 1


if __name__ == "__main__":
    sys.exit(main())
