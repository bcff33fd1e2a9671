"""``foleybench generate``: sound for one video, or for every clip of a data set."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from foleybench.commands._options import add_data, add_sampling, sampling_of
from foleybench.errors import EXIT_OK, FoleyError

if TYPE_CHECKING:
    from foleybench.generate import Settings

HELP = "make sound for a video file, or for every clip of a prepared data set"
EXAMPLE = "foleybench generate --model foleyflow --checkpoint runs/foleyflow --video clip.mp4 --out out/clip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("--model", required=True, help="a name from `foleybench list models`, or path/to/file.py:NAME")
    parser.add_argument("--video", type=Path, help="a video of any frame rate and length; it needs no sound")
    add_data(parser, required=False)
    parser.add_argument("--out", type=Path, required=True, help="folder for the sound (and the video with it)")
    parser.add_argument("--limit", type=int, help="with --data: only the first clips")
    parser.add_argument("--dry-run", action="store_true", help="say what would be made, and make nothing")
    add_sampling(parser)


def run(args: argparse.Namespace) -> int:
    """Make the sound and print the path of what was made."""
    from foleybench.generate import generate_folder

    if (args.video is None) == (args.data is None):
        raise FoleyError("give either --video FILE or --data MANIFEST.")
    settings = sampling_of(args, args.model)
    if args.dry_run:
        sys.stderr.write(f"would make sound with {settings.row_name} for {args.video or args.data} in {args.out}\n")
        return EXIT_OK
    if args.video:
        _for_video(settings, args.video, args.out)
    else:
        sys.stdout.write(f"{generate_folder(settings, args.data, args.out, limit=args.limit, force=args.force)}\n")
    return EXIT_OK


def _for_video(settings: Settings, video: Path, out: Path) -> None:
    from foleybench.generate import build, generate_one
    from foleybench.media import mux_sound, read_video
    from foleybench.model import rate_of
    from foleybench.sound import write_wav

    model, generator = build(settings, None)
    clip = read_video(video, short_side_px=256)
    audio = generate_one(model, generator, clip, settings.seed)
    wav = out / f"{video.stem}.wav"
    write_wav(wav, audio, rate_of(generator, clip))
    movie = out / f"{video.stem}.mp4"
    mux_sound(video, audio, rate_of(generator, clip), movie)
    sys.stdout.write(f"{wav}\n{movie}\n")
