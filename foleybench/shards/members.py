"""Check a clip's files against its line of the manifest."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from foleybench.errors import ManifestError
from foleybench.shards.manifest import Entry

# Flags and facts that mark a copy of another clip of the split; the clip's own JSON file lacks them.
_FLAGS = frozenset({"duplicate", "same_sound"})
MARKS = ("duplicate_of", "duplicate_kind")


def expected_members(entry: Entry) -> dict[str, str | None]:
    """Return the members of a usable entry's clip: SHA-256 by field, None where none is recorded.

    Entries of feature shards name their members under ``facts["features"]``; all others are clips.
    """
    features: dict[str, str | None] | None = entry.facts.get("features")
    if features is not None:
        return features
    picture = {"mp4": entry.video_sha256} if entry.video_sha256 is not None else {}
    return {"flac": entry.audio_sha256, "json": entry.json_sha256, **picture}


def wrong_members(shard: str, entry: Entry, members: Mapping[str, bytes]) -> Iterator[str]:
    """Yield a sentence for each member that differs from the manifest.

    A JSON member without a recorded hash (before schema 2) must repeat the manifest's facts on the clip.

    Args:
        shard: The shard, for messages.
        entry: The clip's line of the manifest.
        members: Content by field, of some or all members.
    """
    expected = expected_members(entry)
    for field, data in members.items():
        name = f"{entry.clip_id}.{field}"
        recorded = expected.get(field)
        if recorded is not None:
            if hashlib.sha256(data).hexdigest() != recorded:
                yield not_as_recorded(shard, name)
        elif field == "json":
            yield from (f"{shard}: {what}" for what in _disagreements(entry, data))


def not_as_recorded(shard: str, name: str) -> str:
    """Return the sentence for a member with another hash."""
    return (
        f"{shard}: {name} is not what the manifest recorded: its SHA-256 differs. The shard was damaged, or is another "
        "data set's; get it again, or prepare the data again."
    )


def check_meta(entry: Entry, data: bytes) -> dict[str, Any]:
    """Return a clip's JSON member.

    Raises:
        ManifestError: The member lacks or garbles a field that reading a clip needs.
    """
    try:
        meta = json.loads(data)
        if not (math.isfinite(float(meta["duration_s"])) and int(meta["rate_hz"]) >= 0):
            raise ValueError(f"duration_s {meta['duration_s']} and rate_hz {meta['rate_hz']} are no length and rate")
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise ManifestError(
            f"{entry.clip_id}.json lacks or garbles a field: {error!r}. Prepare the data again."
        ) from error
    checked: dict[str, Any] = meta
    return checked


def unmarked(facts: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest line's facts without the marks of copies, as they stand in the clip's own JSON file."""
    own = {key: value for key, value in facts.items() if key not in MARKS}
    if "flags" in own:
        own["flags"] = sorted(set(own["flags"]) - _FLAGS)
    return own


def _disagreements(entry: Entry, data: bytes) -> Iterator[str]:
    try:
        meta = check_meta(entry, data)
    except ManifestError as error:
        yield str(error)
        return
    said = {"clip_id": entry.clip_id, "source_id": entry.source_id, "label": entry.label, **unmarked(entry.facts)}
    wrong = sorted(key for key in said if key in meta and meta[key] != said[key])
    if wrong:
        yield f"{entry.clip_id}.json and the manifest disagree on {', '.join(wrong)}."
