"""Options and samples of data sets that are rendered: SynthFoley's versions."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from foleybench.api.dataset import Sample
from foleybench.clips import Clip


def add_arguments(
    parser: argparse.ArgumentParser, *, sizes: Iterable[str], splits: Iterable[str], difficulties: Iterable[str]
) -> None:
    """Add the options of a corpus that is made on the spot."""
    parser.add_argument("--size", choices=sorted(sizes), default="tiny", help="size preset (default: tiny)")
    parser.add_argument("--splits", nargs="+", metavar="SPLIT", help=f"only these splits: {', '.join(splits)}")
    parser.add_argument("--pixels", type=int, default=64, help="side of the picture, 32 to 224, even (default: 64)")
    parser.add_argument("--seconds", type=float, help="length of a clip (default: 4 for tiny, 10 for base)")
    parser.add_argument("--fps", type=float, default=25.0, help="frames per second (default: 25)")
    parser.add_argument("--rate", type=int, default=16000, help="sample rate in Hz (default: 16000)")
    parser.add_argument("--difficulty", choices=sorted(difficulties), default="default", help="how hard it is to see")
    parser.add_argument("--seed", type=int, default=0, help="seed of the corpus (default: 0)")


def encoded(clip: Clip, fps: float) -> Sample:
    """Encode a rendered clip.

    Args:
        clip: With frames, sound and events.
        fps: Its frames per second.
    """
    # Imported here because they pull in torch and FFmpeg, which listing the options does not need.
    from foleybench.media.audio import flac_bytes
    from foleybench.media.read import encode_mp4

    assert clip.frames is not None
    assert clip.audio is not None
    n_frames, height, width = clip.frames.shape[:3]
    facts = {
        "duration_s": clip.duration_s,
        "rate_hz": clip.rate_hz,
        "fps": fps,
        "width": width,
        "height": height,
        "n_frames": n_frames,
        "av_offset_s": 0.0,
        "flags": [],
    }
    return Sample(
        mp4=encode_mp4(clip.frames, fps),
        flac=flac_bytes(clip.audio, clip.rate_hz),
        events=[event.as_json() for event in clip.events or ()],
        facts=facts,
        factors=clip.factors,
    )
