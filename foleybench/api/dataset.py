"""The contract of a data set: items, and their samples.

A data set is one file ``foleybench/datasets/<name>.py`` that defines ``DATASET``. ``foleybench.prepare`` does the rest
(workers, time limits, resuming, shards, manifest), the same way for every data set.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile:
    """How clips are normalised.

    Attributes:
        name: Name on the command line.
        fps: Frames per second of the written video.
        short_side_px: Short side of the written video, or None to keep it.
        square_px: Side of a squashed square video, or None to keep the aspect ratio.
        clip_s: Length of a clip in seconds.
        rate_hz_max: Audio keeps its own rate up to this one.
        channels: ``mix`` to write one channel, ``keep`` to write both of audio that has two.
    """

    name: str
    fps: float = 25.0
    short_side_px: int | None = 256
    square_px: int | None = None
    clip_s: float = 10.0
    rate_hz_max: int = 48000
    channels: Literal["mix", "keep"] = "mix"

    def as_json(self) -> dict[str, Any]:
        """Return the fields; ``channels``, added later, only where it is not the default, so that older hashes stay."""
        fields = dataclasses.asdict(self)
        if self.channels == "mix":
            del fields["channels"]
        return fields


def add_profile_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--profile`` and ``--channels``; ``asked_profile`` reads them."""
    parser.add_argument(
        "--profile", choices=sorted(PROFILES), default="default", help="how clips are normalised (default: default)"
    )
    parser.add_argument(
        "--channels",
        choices=("mix", "keep"),
        default="mix",
        help="mix: one channel, the mean (default); keep: both channels of audio that has two",
    )


def asked_profile(options: argparse.Namespace) -> Profile:
    """Return the profile that ``add_profile_arguments``' options ask for."""
    return dataclasses.replace(PROFILES[options.profile], channels=getattr(options, "channels", "mix"))


PROFILES = {
    "default": Profile(name="default"),
    "paper": Profile(name="paper", short_side_px=None, square_px=224),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """One clip asked for.

    Attributes:
        clip_id: ``<source id>_<start second, six digits>``; safe as a file name, never a dot.
        source: Where it comes from, for people: a file name, a URL, a seed.
        source_id: The video it was cut from: the unit of intervals and tests.
        label: Class name or "".
        split: Name of the split it goes to.
        spec: Whatever ``make`` needs; JSON values only, part of the fingerprint that guards resuming.
        refused: A (status, reason) known before any work (a duplicate id, a hostile name), or None.
        facts: Facts for the manifest, also when the clip fails; JSON values only, part of the fingerprint.
        access: How to get the media (a path, how to fetch); JSON values only. It may differ from run to run and hold
            secrets: it is neither part of the fingerprint nor written anywhere.
    """

    clip_id: str
    source: str
    source_id: str
    label: str
    split: str
    spec: dict[str, Any]
    refused: tuple[str, str] | None = None
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    access: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One clip made.

    Attributes:
        mp4: The video, without audio; None for a clip without video.
        flac: The audio, of one channel or two.
        events: Exact events as JSON objects, or None.
        facts: What goes into the manifest line beside the common fields (durations, rates, fps, sizes, flags,
            ``av_offset_s``, asked and real interval); JSON values only.
        factors: Facts of the corpus about the clip beyond its label; JSON values only; stored in the sample.
    """

    mp4: bytes | None
    flac: bytes
    events: list[dict[str, Any]] | None
    facts: dict[str, Any]
    factors: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set's card and its functions.

    Attributes:
        title: Name for people.
        version: Bump when the same arguments can give other bytes.
        licence: Terms of the media.
        description: One sentence.
        add_arguments: Adds the options of ``foleybench prepare <name>``.
        items: Lists what is asked for, in a fixed order, from the parsed options. Cheap: no decoding.
        make: Makes one sample, in a worker process that may be killed. Raises ``MediaError`` with a status word.
        fingerprint: The options that decide the bytes; JSON values only.
        split_facts: The part of the fingerprint that concerns one split only (the hash of its list).
        known_failure: Returns the (status, reason) of an item that fails for certain, known without work: its media are
            not here and are not to be fetched. Such an item enters no worker. Unlike ``Item.refused`` it may depend on
            ``Item.access``, and may be tried again in another run.
        outlook: Returns, for a dry run, lines about what obtaining these items will take.
        remarks: Returns lines about finished splits, from their manifests by split, each line with the split's name
            first: whether a split is the published one. ``prepare`` shows them on standard error.
        time_limit_s: How long a clip may take unless the user says otherwise.
        citation: What to cite, one line.
    """

    title: str
    version: int
    licence: str
    description: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    items: Callable[[argparse.Namespace], Sequence[Item]]
    make: Callable[[Item], Sample]
    fingerprint: Callable[[argparse.Namespace], dict[str, Any]]
    split_facts: Callable[[argparse.Namespace, str], dict[str, Any]] = lambda options, split: {}
    known_failure: Callable[[Item], tuple[str, str] | None] = lambda item: None
    outlook: Callable[[argparse.Namespace, Sequence[Item]], list[str]] = lambda options, items: []
    remarks: Callable[[Mapping[str, Path]], list[str]] = lambda manifests: []
    time_limit_s: float = 120.0
    citation: str = ""
