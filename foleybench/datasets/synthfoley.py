"""SynthFoley: procedural clips with exact events.

Clips are made on the spot; nothing is downloaded.
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from foleybench.api.dataset import Dataset, Item, Sample
from foleybench.datasets._parts import rendered
from foleybench.synthfoley import PRESETS, VERSION, ClipSpec, render_clip
from foleybench.synthfoley.difficulty import preset
from foleybench.synthfoley.splits import SIZES, SPLITS, Options, chosen_splits, split_specs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``foleybench prepare synthfoley``."""
    rendered.add_arguments(parser, sizes=SIZES, splits=SPLITS, difficulties=PRESETS)


def items(options: argparse.Namespace) -> list[Item]:
    """List the clips of all asked-for splits."""
    wanted = _options(options)
    return [_item(spec) for split in chosen_splits(options.splits) for spec in split_specs(split, wanted)]


def make(item: Item) -> Sample:
    """Render and encode one clip."""
    spec = ClipSpec.from_json(item.spec)
    return rendered.encoded(render_clip(spec), spec.fps)


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
