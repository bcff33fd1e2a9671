"""``foleybench listen``: a blind listening test, as a page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from foleybench.commands._options import audio_pairs, listed_manifest, whole_number
from foleybench.errors import EXIT_OK, EXIT_PARTIAL

HELP = "make a blind listening test: raters compare the audio of systems pair by pair; `votes` reads their answers"
EXAMPLE = "foleybench listen --data shards/synthfoley --audio mine=out/mine other=out/other --out out/study"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument(
        "--data", type=Path, required=True, help="manifest of a prepared split, its folder, or a folder of videos"
    )
    parser.add_argument(
        "--audio",
        nargs="+",
        action="extend",
        required=True,
        metavar="NAME=DIR",
        help="audio folders of the systems, under the names that their results have",
    )
    parser.add_argument(
        "--names",
        nargs="*",
        action="extend",
        default=[],
        metavar="NAME=CSV",
        help="name maps (path,clip_id) of folders that need one",
    )
    parser.add_argument("--out", type=Path, default=Path("out/study"), help="folder of the test (default: %(default)s)")
    parser.add_argument("--question", help="what raters are asked (default: which sound fits the video better)")
    parser.add_argument("--clips", type=whole_number(1), default=20, help="number of clips (default: 20)")
    parser.add_argument(
        "--trials", type=whole_number(1), default=40, help="pairs of systems that a rater judges (default: 40)"
    )
    parser.add_argument(
        "--raters", type=whole_number(1, 1000), default=40, help="how many raters are balanced (default: 40)"
    )
    parser.add_argument(
        "--reference",
        choices=("hidden", "system", "none"),
        default="hidden",
        help="the real audio: hidden in checks, compared with each system as well, or neither, without checks "
        "(default: hidden)",
    )
    parser.add_argument(
        "--anchor",
        choices=("other_class", "other_clip", "noise"),
        help="what checks compare the real audio with (default: a clip of another class, or another clip)",
    )
    parser.add_argument(
        "--checks", type=whole_number(5, 100), default=8, help="checks that a rater gets, to screen by (default: 8)"
    )
    parser.add_argument("--seed", type=whole_number(0), default=0, help="decides clips, orders and ids (default: 0)")
    parser.add_argument("--force", action="store_true", help="write over a test that is there; its votes are then lost")


def run(args: argparse.Namespace) -> int:
    """Write the test and print the path of its page; 3 when clips that were drawn are not in it."""
    from foleybench.files import require_readable, require_writable
    from foleybench.people.page import QUESTION, TestRequest, system_names, write_listening_test
    from foleybench.people.trials import judgements

    audio = audio_pairs(args.audio, "--audio")
    system_names(audio)
    for folder in audio.values():
        require_readable(folder, "--audio")
    require_writable(args.out, "--out")
    made = write_listening_test(
        TestRequest(
            data=listed_manifest(args.data),
            audio=audio,
            names=audio_pairs(args.names, "--names"),
            out=args.out,
            question=args.question or QUESTION,
            n_clips=args.clips,
            n_trials=args.trials,
            n_checks=args.checks,
            n_raters=args.raters,
            reference=args.reference,
            anchor=args.anchor or "",
            seed=args.seed,
            force=args.force,
        )
    )
    for clip_id, why in made.left_out:
        sys.stderr.write(f"left out {clip_id}: {why}\n")
    low, high = judgements(made.plan)
    times = f"{low} times" if low == high else f"{low} to {high} times"
    sys.stderr.write(
        f"{made.plan.n_pairs} pairs; {args.raters} raters get {len(made.plan.orders[0])} trials each and "
        f"judge every pair {times}\n"
    )
    checks = f"real audio against {made.anchor.replace('_', ' ')}" if made.anchor else "none, so nobody can be screened"
    sys.stderr.write(f"checks: {checks}\n")
    sys.stderr.write(f"Give raters the folder {made.page.parent} and a number each (index.html#rater=1). ")
    sys.stderr.write(f"Keep {made.key} to yourself.\n")
    sys.stdout.write(f"{made.page}\n")
    return EXIT_PARTIAL if made.left_out else EXIT_OK
