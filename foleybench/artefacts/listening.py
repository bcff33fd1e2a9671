"""A listening test on disk: the key and the votes.

The key (``key.json``) stays with the experimenter: it says which system and clip stand behind each opaque id. A file of
votes is what a rater's page saves; without the key it says nothing of systems.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foleybench.artefacts.layouts import safe_name
from foleybench.errors import ResultError
from foleybench.fields import (
    Check,
    Place,
    each,
    flag,
    maybe,
    named,
    number,
    one_of,
    read_json,
    record,
    text,
    whole,
    words,
)
from foleybench.files import canonical_json, write_atomically

KEY_FILE = "key.json"
KEY_KIND, VOTES_KIND = "listening key", "listening votes"
SCHEMA = 1

DATASET: Check = record({"name": safe_name, "split": words, "manifest_sha256": text})
_KEY = record(
    {
        "kind": one_of((KEY_KIND,)),
        "schema": one_of((SCHEMA,)),
        "study": words,
        "question": words,
        "dataset": DATASET,
        "systems": each(words),
        "reference": maybe(words),
        "anchor": maybe(words),
        "rule": text,
        "seed": whole(low=0),
        "sources": named(words),
        "sounds": named(record({"clip_id": words, "system": words})),
    }
)
_VOTES = record(
    {
        "kind": one_of((VOTES_KIND,)),
        "schema": one_of((SCHEMA,)),
        "study": words,
        "rater": words,
        "complete": flag,
        "votes": each(
            record(
                {"left": words, "right": words, "choice": one_of(("left", "right", "same"))},
                {"seconds": number(low=0, high=1e9)},
            )
        ),
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Key:
    """What stands behind the opaque ids of a listening page.

    Attributes:
        study: Id of the page, which its votes carry.
        question: What the raters were asked.
        dataset: ``name``, ``split`` and ``manifest_sha256`` of the clips.
        systems: Names of the systems that are compared.
        reference: Name of the real audio, None when there are no checks.
        anchor: Name of the audio that checks compare it with, or None.
        sources: Clip id -> source video.
        sounds: Sound id -> (clip id, system).
    """

    study: str
    question: str
    dataset: Mapping[str, str]
    systems: tuple[str, ...]
    reference: str | None
    anchor: str | None
    sources: Mapping[str, str]
    sounds: Mapping[str, tuple[str, str]]


def study_id(record: Mapping[str, Any]) -> str:
    """Return the id of a study: the start of the hash of everything else in its key."""
    rest = {name: value for name, value in record.items() if name != "study"}
    return hashlib.sha256(canonical_json(rest).encode()).hexdigest()[:12]


def write_key(path: Path, content: Mapping[str, Any]) -> None:
    """Write a key.

    Raises:
        FoleyError: It cannot be written.
    """
    whole_key = {"kind": KEY_KIND, "schema": SCHEMA, **content}
    Place(str(path), ResultError).require(whole_key, _KEY)
    write_atomically(path, (canonical_json(whole_key) + "\n").encode())


def read_key(path: Path) -> Key:
    """Read a key.

    Raises:
        ResultError: It is no key, or was changed since it was written.
    """
    place = Place(str(path), ResultError, "Name the key.json that `foleybench listen` wrote beside the page.")
    found = read_json(path, _KEY, place)
    if found["study"] != study_id({k: v for k, v in found.items() if k not in ("kind", "schema")}):
        place.fail(" was changed after it was written: its content does not fit its study id")
    lost = next((s["clip_id"] for s in found["sounds"].values() if s["clip_id"] not in found["sources"]), None)
    if lost is not None:
        place.fail(f": sources lacks clip {lost!r}")
    return Key(
        study=found["study"],
        question=found["question"],
        dataset=found["dataset"],
        systems=tuple(found["systems"]),
        reference=found["reference"],
        anchor=found["anchor"],
        sources=found["sources"],
        sounds={name: (sound["clip_id"], sound["system"]) for name, sound in found["sounds"].items()},
    )


def read_vote_file(path: Path) -> dict[str, Any]:
    """Read the votes that a rater's page saved.

    Raises:
        ResultError: It is no file of votes.
    """
    advice = "Votes are the JSON file that the listening page saves, or a CSV."
    found: dict[str, Any] = read_json(path, _VOTES, Place(str(path), ResultError, advice))
    return found
