"""Values of a draft against those in float32: the same clips, the same audio, encoders once in bfloat16.

    python benchmarks/draft_error.py --data shards/synthfoley/test.manifest.jsonl --metric kld_mini --metric fad_mini
    python benchmarks/draft_error.py --reference my_videos --metric kld_aisfx --metric fad_aisfx --metric kad_aisfx

The audio is that of a control. A processor without bfloat16 units emulates them here, which ``eval`` refuses since it
is slow: the values are those of the units up to the order of sums, the time is not theirs and is not printed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from foleybench.generation.folder import GenerationSettings, generate_folder
from foleybench.runtime.precision import DRAFT, WHOLE, Precision
from foleybench.scoring import evaluate as scoring
from foleybench.scoring.folders import pair


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, help="manifest of a prepared split")
    data.add_argument("--reference", type=Path, help="a folder of real audio or videos")
    parser.add_argument("--metric", action="append", required=True, help="metric to compare; more when given again")
    parser.add_argument("--control", default="other_clip", help="whose audio is scored (default: other_clip)")
    parser.add_argument("--limit", type=int, default=40, help="number of clips (default: 40)")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    args = parser.parse_args()
    # The refusal is about time, and what is wanted here are values.
    scoring.require_precision = lambda precision, device: None  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        manifest = args.data or pair(None, args.reference, cache=home / "cache").listed.manifest
        generate_folder(GenerationSettings(model=args.control), manifest, home / "audio", limit=args.limit, force=False)
        whole, draft = (_records(args, manifest, home, precision) for precision in (WHOLE, DRAFT))
    print(f"{args.control}, {args.limit} clips of {(args.data or args.reference).name}, {args.device}\n")
    print("| metric | clips | float32 | 95 % interval | bf16 | off |\n|---|--:|--:|--:|--:|--:|")
    for name in args.metric:
        print(_line(name, whole[name], draft[name]))


def _records(args: argparse.Namespace, manifest: Path, home: Path, precision: Precision) -> dict[str, Any]:
    request = scoring.EvalRequest(
        data=manifest, audio=home / "audio", protocol=None, metrics=tuple(args.metric), limit=args.limit,
        model={"name": args.control, "kind": "control"}, device=args.device, precision=precision,
    )  # fmt: skip
    records: dict[str, Any] = scoring.evaluate(request)[0]["metrics"]
    return records


def _line(name: str, whole: dict[str, Any], draft: dict[str, Any]) -> str:
    one, other = whole["value"], draft["value"]
    if one is None or other is None:
        return f"| {name} | {whole['n_used']} | {whole['reason'] or draft['reason']} | | | |"
    interval = "" if whole["low"] is None else f"{whole['low']:.4g} to {whole['high']:.4g}"
    off = f"{100 * abs(other - one) / abs(one):.2f} %" if one else f"{abs(other - one):.2g}"
    return f"| {name} | {whole['n_used']} | {one:.5g} | {interval} | {other:.5g} | {off} |"


if __name__ == "__main__":
    main()
