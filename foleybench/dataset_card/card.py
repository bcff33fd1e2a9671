"""Write the data set card, ``README.md``, from the manifests alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from foleybench import registry
from foleybench.api.dataset import Dataset
from foleybench.dataset_card.counts import Overview
from foleybench.dataset_card.words import hours, megabytes, per_cent
from foleybench.errors import FoleyError
from foleybench.files import write_atomically

CARD = "README.md"
_MARK = "<!-- written by foleybench prepare; a change is lost when the data is prepared again -->"
_FLAG_WORDS = {
    "cancelled": "the channels cancel each other: the loudest one was taken, not their mean",
    "clipped": "over 0.01 % of the samples are at full scale",
    "closed_gap": "audio lies over 5 ms from its timestamps, since small gaps were closed",
    "damaged": "some packets did not decode and were left out, or a decoder calls frames damaged",
    "duplicate": "a copy of an earlier clip of this split: the same bytes, or matching fingerprints of audio and video",
    "hdr": "high dynamic range, written without tone mapping: looks pale",
    "mostly_still": "nothing moves in at least 80 % of the video's seconds",
    "other_tracks": "the file holds other video or audio tracks too; the default ones were taken",
    "out_of_step": "video and audio begin over 0.1 s apart, or their content is that far out of sync",
    "partial_picture": "the video covers under 90 % of the clip",
    "partial_sound": "the audio covers under 90 % of the clip",
    "same_sound": "the audio of an earlier clip, with another video",
    "short": "under 95 % of the length asked for",
    "silent": "never louder than -60 dB of full scale",
    "sound_gap": "the audio has gaps, which were filled with silence",
    "sound_only": "a clip without video",
    "still": "nothing in the video ever moves",
    "truncated": "the file ended over 0.5 s before the length that its container states",
}


def write_card(folder: Path, overviews: Sequence[Overview], recipe: str) -> Path | None:
    """Write the card; a README.md that somebody else wrote stays, and None is returned.

    Args:
        folder: Folder of the manifests.
        overviews: One for each manifest.
        recipe: Name of the data set on the command line; an unknown one has no licence on record.
    """
    path = folder / CARD
    if path.is_file() and _MARK not in path.read_text(encoding="utf-8", errors="replace"):
        return None
    write_atomically(path, ("\n".join(card_lines(overviews, recipe)) + "\n").encode())
    return path


def card_lines(overviews: Sequence[Overview], recipe: str) -> Iterator[str]:
    """Yield the card, line by line."""
    dataset = _dataset(recipe)
    yield f"# {_plain(dataset.title if dataset else overviews[0].header.dataset)}"
    yield from ("", _MARK, "")
    yield _plain(dataset.description) if dataset else "Clips with video and audio."
    yield from ("", "## What is here", "")
    yield "| split | asked for | usable | length | shards | manifest (SHA-256) |"
    yield "|---|---|---|---|---|---|"
    for one in overviews:
        size = sum(n for n in one.shard_bytes().values() if n is not None)
        cells = [
            one.header.split,
            f"{one.n_asked}",
            f"{one.n_ok} ({per_cent(one.n_ok, one.n_asked)})",
            hours(one.seconds),
        ]
        yield "| " + " | ".join([*cells, f"{len(one.shards)} ({megabytes(size)})", f"`{one.sha256}`"]) + " |"
    yield ""
    yield "Shards are WebDataset tars with `<clip_id>.mp4` (H.264, no audio), `<clip_id>.flac` (mono) and"
    yield "`<clip_id>.json`. The manifest has a line for every clip asked for, with its status, reason and measures;"
    yield "its hash names the set: quote it beside every number."
    yield from ("", "## Licence", "")
    yield _plain(dataset.licence) if dataset else "Not on record."
    yield from ("", "The shards hold other people's media. Whoever passes them on needs the right to do so.")
    yield from _faults(overviews)
    yield from _making(overviews, recipe)
    if dataset and dataset.citation:
        yield from ("", "## Citation", "", _plain(dataset.citation))


def _faults(overviews: Sequence[Overview]) -> Iterator[str]:
    yield from ("", "## Known faults", "")
    for one in overviews:
        yield f"**{one.header.split}**"
        yield ""
        for status, n in sorted(one.statuses.items()):
            if status != "ok":
                yield f"- {n} of {one.n_asked} could not be had: `{status}`"
        for flag, n in sorted(one.flags.items()):
            yield f"- {n} of {one.n_ok} are flagged `{flag}`: {_FLAG_WORDS.get(flag, 'see the manifest')}"
        if one.n_ok == one.n_asked and not one.flags:
            yield "- none was found"
        yield ""
    yield "`foleybench show FOLDER --html` draws them. Copies between the splits are in `duplicates.jsonl`."


def _making(overviews: Sequence[Overview], recipe: str) -> Iterator[str]:
    yield from (
        "",
        "## How to make it again",
        "",
        "```",
        f"foleybench prepare {_plain(recipe)} ... --out FOLDER",
        "```",
    )
    yield from ("", "The same media, options and versions give the same bytes on one machine:", "")
    for one in overviews:
        made = {**{f"profile {key}": value for key, value in one.header.profile.items()}, **one.header.tools}
        yield f"- {one.header.split}: recipe version {one.header.version}; " + ", ".join(
            f"{_plain(str(key))} {_plain(str(value))}" for key, value in sorted(made.items())
        )


def _dataset(recipe: str) -> Dataset | None:
    if recipe not in registry.names("datasets"):
        return None
    try:
        dataset: Dataset = registry.load("datasets", recipe)
    except FoleyError:
        return None
    return dataset


def _plain(text: str) -> str:
    """Return text on one line that Markdown and HTML take as it is."""
    flat = " ".join(text.split())
    return re.sub(r"[<>|`\\]", lambda found: f"&#{ord(found[0])};", flat)
