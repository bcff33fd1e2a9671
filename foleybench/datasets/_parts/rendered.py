"""Make data sets that are rendered on the spot."""

from __future__ import annotations

import argparse
import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleybench.api.dataset import Dataset, Item, Sample
from foleybench.clips import Clip
from foleybench.datasets._parts import published_splits
from foleybench.synthesis.clip_spec import CorpusClip
from foleybench.synthesis.splits import SPLITS, CorpusOptions, chosen_splits

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def add_arguments(
    parser: argparse.ArgumentParser, *, sizes: Iterable[str], splits: Iterable[str], difficulties: Iterable[str]
) -> None:
    """Add the options of a rendered corpus."""
    parser.add_argument("--size", choices=sorted(sizes), default="tiny", help="size preset (default: tiny)")
    parser.add_argument("--splits", nargs="+", metavar="SPLIT", help=f"only these splits: {', '.join(splits)}")
    parser.add_argument("--pixels", type=int, default=64, help="side of a frame, 32 to 224, even (default: 64)")
    parser.add_argument("--seconds", type=float, help="length of a clip (default: 4 for tiny, 10 for base)")
    parser.add_argument("--fps", type=float, default=25.0, help="frames per second (default: 25)")
    parser.add_argument("--rate", type=int, default=16000, help="sample rate in Hz (default: 16000)")
    parser.add_argument("--difficulty", choices=sorted(difficulties), default="default", help="how hard it is to see")
    parser.add_argument("--seed", type=int, default=0, help="seed of the corpus (default: 0)")


def corpus(
    kind: type[CorpusClip],
    *,
    title: str,
    description: str,
    sizes: Iterable[str],
    difficulties: Iterable[str],
    preset: Callable[[str], DataclassInstance],
    split_specs: Callable[[str, CorpusOptions], Sequence[CorpusClip]],
    render: Callable[[Any], Clip],
    published: Path,
) -> Dataset:
    """Return the data set of a rendered corpus.

    Args:
        kind: The corpus's own spec.
        title: Name for people.
        description: One sentence.
        sizes: Names of its size presets.
        difficulties: Names of its difficulties.
        preset: Returns a difficulty by its name.
        split_specs: Lists the clips of a split.
        render: Makes a clip from its spec.
        published: The list of its published splits (``published_splits``).
    """
    return Dataset(
        title=title,
        version=kind.version,
        licence="MIT (made by this package)",
        description=description,
        add_arguments=functools.partial(add_arguments, sizes=sizes, splits=SPLITS, difficulties=difficulties),
        items=functools.partial(_items, split_specs=split_specs),
        make=functools.partial(_make, kind=kind, render=render),
        fingerprint=functools.partial(_fingerprint, kind=kind, preset=preset),
        remarks=functools.partial(published_splits.remarks, published=published),
    )


def _items(options: argparse.Namespace, *, split_specs: Callable[..., Sequence[CorpusClip]]) -> list[Item]:
    """List the clips of all asked-for splits."""
    wanted = _options(options)
    return [_item(spec) for split in chosen_splits(options.splits) for spec in split_specs(split, wanted)]


def _make(item: Item, *, kind: type[CorpusClip], render: Callable[[Any], Clip]) -> Sample:
    """Render and encode one clip."""
    spec = kind.from_json(item.spec)
    return encoded(render(spec), spec.fps)


def _fingerprint(
    options: argparse.Namespace, *, kind: type[CorpusClip], preset: Callable[[str], DataclassInstance]
) -> dict[str, Any]:
    """Return the options that decide the bytes."""
    wanted = _options(options)
    knobs = dataclasses.asdict(preset(wanted.difficulty))
    return {"corpus_version": kind.version, **dataclasses.asdict(wanted), "knobs": knobs}


def _options(options: argparse.Namespace) -> CorpusOptions:
    return CorpusOptions(
        size=options.size,
        seed=options.seed,
        pixels=options.pixels,
        fps=options.fps,
        rate_hz=options.rate,
        duration_s=options.seconds,
        difficulty=options.difficulty,
    )


def _item(spec: CorpusClip) -> Item:
    return Item(
        clip_id=spec.clip_id,
        source=f"synthfoley v{spec.version} seed {spec.seed}",
        source_id=spec.source_id,
        label=spec.label,
        split=spec.split,
        spec=spec.as_json(),
    )


def encoded(clip: Clip, fps: float) -> Sample:
    """Encode a rendered clip.

    Args:
        clip: With frames, audio and events.
        fps: Frames per second of the clip.
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
