"""``foleybench generate``: audio for one video, or for a data set."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleybench.commands._options import add_data, add_sampling, generation_settings, whole_number
from foleybench.errors import EXIT_OK, EXIT_PARTIAL, FoleyError

if TYPE_CHECKING:
    from foleybench.generation.folder import GenerationSettings

HELP = "generate audio for a video file, or for every clip of a prepared data set"
EXAMPLE = "foleybench generate --model foleyflow --checkpoint runs/foleyflow --video clip.mp4 --out out/clip"
_FOR_PEOPLE = ("takes", "loudness", "original")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("--model", required=True, help="a name from `foleybench list models`, or path/to/file.py:NAME")
    parser.add_argument("--video", type=Path, help="a video of any frame rate and length; it needs no audio")
    add_data(parser, required=False)
    parser.add_argument("--out", type=Path, required=True, help="folder for the audio (and the video with it)")
    parser.add_argument(
        "--takes", type=whole_number(1), metavar="N", help="with --video: this many takes, by seed (default: 1)"
    )
    parser.add_argument(
        "--loudness",
        type=_loudness,
        metavar="LUFS",
        help="with --video: loudness of the audio (default: -23, with peaks below -1 dBTP), or `none`",
    )
    parser.add_argument(
        "--original", choices=("drop", "mix"), help="with --video: what becomes of its own audio (default: drop)"
    )
    parser.add_argument("--limit", type=whole_number(1), help="with --data: only the first clips")
    parser.add_argument("--dry-run", action="store_true", help="say what would be made, and make nothing")
    add_sampling(parser)


def run(args: argparse.Namespace) -> int:
    """Generate audio and print its path; 3 when the audio of some clips was not finite."""
    from foleybench.artefacts.result import require_safe_name
    from foleybench.files import require_writable
    from foleybench.generation.folder import generate_folder
    from foleybench.scoring.device import usable_device

    if (args.video is None) == (args.data is None):
        raise FoleyError("give either --video FILE or --data MANIFEST.")
    for_people = {name: getattr(args, name) for name in _FOR_PEOPLE if getattr(args, name) is not None}
    if args.data and for_people:
        raise FoleyError(
            f"--{next(iter(for_people))} goes with --video: the audio of a data set is scored as it is made."
        )
    args.device = usable_device(args.device)
    settings = generation_settings(args, args.model)
    require_safe_name(settings.row_name, "the name of the row,")
    require_writable(args.out, "--out")
    if args.video and args.video.is_dir():
        raise FoleyError(
            f"--video {args.video} is a folder; name one video file. For a whole folder: `foleybench prepare folder "
            f"{args.video} --out shards/mine`, then --data shards/mine."
        )
    if args.dry_run:
        sys.stderr.write(f"would generate audio with {settings.row_name} for {args.video or args.data} in {args.out}\n")
        return EXIT_OK
    if args.video:
        sys.stdout.write("".join(f"{path}\n" for path in _for_video(settings, args.video, args.out, for_people)))
        return EXIT_OK
    folder = generate_folder(settings, args.data, args.out, limit=args.limit, force=args.force, batch=args.batch)
    sys.stdout.write(f"{folder}\n")
    return _tell_refused(folder)


def _tell_refused(folder: Path) -> int:
    """Name the clips that the model made no audio for; 3 when there are some."""
    from foleybench.artefacts.audio_folder import read_generation, refused_clips

    refused = refused_clips(read_generation(folder) or {})
    for clip_id, (kind, reason) in refused.items():
        sys.stderr.write(f"foleybench: no audio for {clip_id}: {kind}, {reason}\n")
    return EXIT_PARTIAL if refused else EXIT_OK


def _for_video(settings: GenerationSettings, video: Path, out: Path, asked: dict[str, Any]) -> list[Path]:
    from foleybench.generation.video import TakeSettings, sound_for_video

    names = {"takes": "takes", "loudness": "loudness_lufs", "original": "original"}
    values: dict[str, Any] = {names[name]: None if value == "none" else value for name, value in asked.items()}
    return sound_for_video(settings, video, out, TakeSettings(**values))


def _loudness(text: str) -> float | str:
    """Read a loudness: a number of LUFS, or ``none``."""
    if text == "none":
        return text
    value = float(text)
    if not -70.0 < value <= 0.0:
        raise argparse.ArgumentTypeError(f"{text} is not a loudness between -70 and 0 LUFS, nor `none`")
    return value
