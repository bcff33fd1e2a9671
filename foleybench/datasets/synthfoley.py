"""SynthFoley: procedural clips with exact events, made on the spot; nothing is downloaded."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from foleybench.api.dataset import Dataset, Item, Sample
from foleybench.synthfoley import PRESETS, VERSION, ClipSpec, render_clip
from foleybench.synthfoley.difficulty import preset
from foleybench.synthfoley.splits import SIZES, SPLITS, Options, chosen_splits, split_specs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``foleybench prepare synthfoley``."""
    parser.add_argument("--size", choices=sorted(SIZES), default="tiny", help="size preset (default: tiny)")
    parser.add_argument("--splits", nargs="+", metavar="SPLIT", help=f"only these splits: {', '.join(SPLITS)}")
    parser.add_argument("--pixels", type=int, default=64, help="side of the picture, 32 to 224, even (default: 64)")
    parser.add_argument("--seconds", type=float, help="length of a clip (default: 4 for tiny, 10 for base)")
    parser.add_argument("--fps", type=float, default=25.0, help="frames per second (default: 25)")
    parser.add_argument("--rate", type=int, default=16000, help="sample rate in Hz (default: 16000)")
    parser.add_argument("--difficulty", choices=sorted(PRESETS), default="default", help="how hard it is to see")
    parser.add_argument("--seed", type=int, default=0, help="seed of the corpus (default: 0)")


def items(options: argparse.Namespace) -> list[Item]:
    """List the clips of all asked-for splits."""
    wanted = _options(options)
    return [_item(spec) for split in chosen_splits(options.splits) for spec in split_specs(split, wanted)]


def make(item: Item) -> Sample:
    """Render and encode one clip."""
    # Imported here because they pull in torch and FFmpeg, which listing the options does not need.
    from foleybench.media.audio import flac_bytes
    from foleybench.media.read import encode_mp4

    spec = ClipSpec.from_json(item.spec)
    clip = render_clip(spec)
    assert clip.frames is not None
    assert clip.audio is not None
    n_frames, height, width = clip.frames.shape[:3]
    facts = {
        "duration_s": clip.duration_s,
        "rate_hz": clip.rate_hz,
        "fps": spec.fps,
        "width": width,
        "height": height,
        "n_frames": n_frames,
        "av_offset_s": 0.0,
        "flags": [],
    }
    return Sample(
        mp4=encode_mp4(clip.frames, spec.fps),
        flac=flac_bytes(clip.audio, clip.rate_hz),
        events=[event.as_json() for event in clip.events or ()],
        facts=facts,
        factors=clip.factors,
    )


def fingerprint(options: argparse.Namespace) -> dict[str, Any]:
    """Return what decides the bytes."""
    wanted = _options(options)
    return {
        "corpus_version": VERSION,
        **dataclasses.asdict(wanted),
        "knobs": dataclasses.asdict(preset(wanted.difficulty)),
    }


def _options(options: argparse.Namespace) -> Options:
    return Options(
        size=options.size,
        seed=options.seed,
        pixels=options.pixels,
        fps=options.fps,
        rate_hz=options.rate,
        duration_s=options.seconds,
        difficulty=options.difficulty,
    )


def _item(spec: ClipSpec) -> Item:
    return Item(
        clip_id=spec.clip_id,
        source=f"synthfoley v{VERSION} seed {spec.seed}",
        source_id=spec.source_id,
        label=spec.label,
        split=spec.split,
        spec=spec.as_json(),
    )


DATASET = Dataset(
    title="SynthFoley",
    version=VERSION,
    licence="MIT (made by this package)",
    description="Procedural clips whose picture and sound come from the same list of events, so that timing is exact.",
    add_arguments=add_arguments,
    items=items,
    make=make,
    fingerprint=fingerprint,
)
