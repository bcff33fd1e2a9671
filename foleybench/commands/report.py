"""``foleybench report``: the listening page, systems side by side."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from foleybench.commands._options import add_data, audio_pairs, whole_number
from foleybench.errors import EXIT_OK, EXIT_PARTIAL

HELP = "make the listening page: the same clips with the audio of every system, spectrograms and event marks"
EXAMPLE = "foleybench report --reference my_videos --audio mine=my_outputs other=other_outputs --out out/report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    what = parser.add_mutually_exclusive_group(required=True)
    add_data(what, required=False)
    what.add_argument(
        "--reference", type=Path, metavar="DIR", help="in place of --data: a folder of videos with the real audio"
    )
    parser.add_argument("--audio", nargs="+", required=True, metavar="NAME=DIR", help="audio folders, under your names")
    parser.add_argument(
        "--names", nargs="*", default=[], metavar="NAME=CSV", help="name maps (path,clip_id) of folders that need one"
    )
    parser.add_argument(
        "--results", nargs="*", type=Path, default=[], help="result files whose values per clip are shown, by name"
    )
    parser.add_argument(
        "--clips", type=whole_number(1), default=12, help="number of clips (default: 12); fewer if 30 MB are full"
    )
    parser.add_argument("--seed", type=whole_number(0), default=0, help="decides which clips (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("out/report.html"), help="the page (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Write the page and print its path; 3 when some audio was missing."""
    from foleybench.files import require_readable, require_writable, write_atomically
    from foleybench.leaderboard.report import ReportRequest, make_report
    from foleybench.scoring.folders import pair

    require_writable(args.out.parent, "--out")
    for folder in audio_pairs(args.audio, "--audio").values():
        if folder.is_dir():  # one that is not there is told later, by its name
            require_readable(folder, "--audio")
    if args.reference:
        args.data = pair(None, args.reference).listed.manifest
    report = make_report(
        ReportRequest(
            data=args.data,
            audio=audio_pairs(args.audio, "--audio"),
            names=audio_pairs(args.names, "--names"),
            results=args.results,
            n_clips=args.clips,
            seed=args.seed,
        )
    )
    write_atomically(args.out, report.html.encode())
    sys.stderr.write(f"clips drawn with seed {args.seed}: {' '.join(report.clip_ids)}\n")
    if report.n_left_out:
        sys.stderr.write(f"{report.n_left_out} more were drawn but would make the page larger than 30 MB.\n")
    if report.strangers:
        names = ", ".join(report.strangers)
        sys.stderr.write(f"--results of {names}: not shown; give the audio folder that name (--audio NAME=DIR)\n")
    for name, clip_id, why in report.missing:
        sys.stderr.write(f"{name}, {clip_id}: {why}\n")
    sys.stdout.write(f"{args.out}\n")
    return EXIT_PARTIAL if report.missing else EXIT_OK
