"""Pack staged clips into one shard, and unpack them again.

A shard belongs to a fixed run of the items asked for (``ShardGroup``), whether they turn out usable or not: so shards
are packed in any order, as soon as their own clips are finished, and a clip that is obtained later changes one shard.
A group without a usable clip has no shard; its number stays free.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import shutil
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import Any

from foleybench.api.dataset import Item, Sample
from foleybench.errors import FoleyError
from foleybench.files import canonical_json, write_atomically
from foleybench.prepare.staging import (
    ItemOutcome,
    Staging,
    failure,
    stage_outcome,
    stage_sample,
    staged_media,
    staged_outcome,
)
from foleybench.shards.dataset import fields_of, read_members, shard_name, write_shard
from foleybench.shards.manifest import Entry, entry_line
from foleybench.shards.members import unmarked

# Clips asked for per shard, for clips of up to ten seconds: at about 0.6 MB a clip, shards of about 300 MB.
MAX_CLIPS = 512
_FULL_CLIP_S = 10.0

# Whether an item that ended with this status is to be tried again.
Again = Callable[[Item, str], bool]
# The (status, reason) of an item that fails for certain, without work (``Dataset.known_failure``).
KnownFailure = Callable[[Item], tuple[str, str] | None]


@dataclasses.dataclass(frozen=True)
class ShardGroup:
    """The items that share a shard.

    Attributes:
        index: Number of the shard.
        items: The items, in the order asked for.
    """

    index: int
    items: Sequence[Item]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """A packed group.

    Attributes:
        shard: File name of its tar, None when no clip of it could be used.
        n_bytes: Size of the tar.
        n_clips: Clips in the tar.
        sha256: SHA-256 of the tar.
        lines: The group's lines of the manifest.
    """

    shard: str | None
    n_bytes: int
    n_clips: int
    sha256: str
    lines: bytes

    @property
    def described(self) -> dict[str, Any]:
        """The fields that the split's record keeps of the shard."""
        return {"n_bytes": self.n_bytes, "n_clips": self.n_clips, "sha256": self.sha256}

    def entries(self) -> Iterator[Entry]:
        """Yield the group's entries."""
        return (Entry(**json.loads(line)) for line in self.lines.splitlines())


def clips_per_shard(clip_s: float) -> int:
    """Return how many clips of a length share a shard, so that shards of long clips do not get huge.

    Example:
        >>> clips_per_shard(10.0), clips_per_shard(60.0), clips_per_shard(3600.0)
        (512, 85, 1)
    """
    return max(1, int(MAX_CLIPS * min(1.0, _FULL_CLIP_S / clip_s)))


def shard_groups(items: Sequence[Item], n_per_shard: int) -> list[ShardGroup]:
    """Cut the items of a split into the groups that share a shard."""
    starts = range(0, len(items), n_per_shard)
    return [ShardGroup(index, items[start : start + n_per_shard]) for index, start in enumerate(starts)]


def pack(out: Path, staging: Staging, group: ShardGroup, known_failure: KnownFailure) -> Part:
    """Write the shard of a group whose clips are all finished, or known to fail; ``commit`` makes it count.

    Raises:
        FoleyError: A staged file is damaged; its clip is un-staged.
    """
    folder = staging.clips_folder(group.index)
    staged = staging.staged(group.index)
    outcomes = [(item, _outcome(folder, staged, item, known_failure)) for item in group.items]
    samples = [(item.clip_id, _members(folder, item, outcome)) for item, outcome in outcomes if outcome.status == "ok"]
    shard = shard_name(staging.fingerprint["split"], group.index)
    lines = "".join(f"{entry_line(_entry(item, outcome, shard))}\n" for item, outcome in outcomes).encode()
    if not samples:
        (out / shard).unlink(missing_ok=True)
        return Part(shard=None, n_bytes=0, n_clips=0, sha256="", lines=lines)
    sha256 = write_shard(out / shard, samples)
    return Part(shard=shard, n_bytes=(out / shard).stat().st_size, n_clips=len(samples), sha256=sha256, lines=lines)


def commit(staging: Staging, group: ShardGroup, part: Part) -> None:
    """Note that a group is packed, then drop its staged clips."""
    write_atomically(staging.part_path(group.index), part_bytes(part))
    shutil.rmtree(staging.clips_folder(group.index), ignore_errors=True)


def part_bytes(part: Part) -> bytes:
    """Return a part as it is written: its description, then its lines of the manifest."""
    return canonical_json({"shard": part.shard, **part.described}).encode() + b"\n" + part.lines


def read_part(path: Path) -> Part:
    """Read what ``commit`` wrote.

    Raises:
        FoleyError: The file is damaged.
    """
    head, _, lines = path.read_bytes().partition(b"\n")
    try:
        return Part(**json.loads(head), lines=lines)
    except (ValueError, TypeError) as error:
        raise FoleyError(f"{path} is damaged ({error}). Run again with --force.") from error


def any_again(group: ShardGroup, part: Part, again: Again) -> bool:
    """Whether a clip of a packed group is to be tried again."""
    pairs = zip(group.items, part.entries(), strict=True)
    return any(again(item, entry.status) for item, entry in pairs if not item.refused)


def reopen(out: Path, staging: Staging, group: ShardGroup, part: Part, again: Again) -> None:
    """Stage a packed group again, but for clips to be tried again; the part goes last, so a kill loses nothing.

    Raises:
        ManifestError: The shard is not the one that was packed.
    """
    folder = staging.clips_folder(group.index)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for item, entry in zip(group.items, part.entries(), strict=True):
        if entry.status == "ok":
            stage_sample(folder, entry.clip_id, _sample(out / str(entry.shard), entry))
        elif not item.refused and not again(item, entry.status):
            stage_outcome(
                folder, entry.clip_id, ItemOutcome(status=entry.status, reason=entry.reason, facts=entry.facts)
            )
    staging.part_path(group.index).unlink()


def drop_again(staging: Staging, group: ShardGroup, again: Again) -> None:
    """Un-stage the clips to be tried again of a group that is not packed yet."""
    folder = staging.clips_folder(group.index)
    staged = staging.staged(group.index)
    for item in group.items:
        if item.clip_id in staged and not item.refused and again(item, staged_outcome(folder, item.clip_id).status):
            (folder / f"{item.clip_id}.json").unlink()


def _outcome(folder: Path, staged: Container[str], item: Item, known_failure: KnownFailure) -> ItemOutcome:
    if item.refused:
        return failure(*item.refused)
    # What an earlier run obtained counts, also when its source is gone by now.
    if item.clip_id not in staged and (known := known_failure(item)):
        return failure(*known)
    return staged_outcome(folder, item.clip_id)


def _sample(shard: Path, entry: Entry) -> Sample:
    members = read_members(shard, entry, fields_of(entry))
    meta = json.loads(members["json"])
    return Sample(
        mp4=members.get("mp4"),
        flac=members["flac"],
        events=meta["events"],
        facts=unmarked(entry.facts),
        factors=meta["factors"],
    )


def _members(folder: Path, item: Item, outcome: ItemOutcome) -> dict[str, Callable[[], bytes]]:
    members: dict[str, Callable[[], bytes]] = {
        field: functools.partial(staged_media, folder, item.clip_id, field, sha256)
        for field, sha256 in outcome.sha256.items()
    }
    return {**members, "json": functools.partial(_meta_bytes, item, outcome)}


def _meta_bytes(item: Item, outcome: ItemOutcome) -> bytes:
    """Return the JSON member of a clip."""
    meta = {
        "clip_id": item.clip_id,
        "source": item.source,
        "source_id": item.source_id,
        "label": item.label,
        "split": item.split,
        "events": outcome.events,
        "factors": outcome.factors,
        **item.facts,
        **outcome.facts,
    }
    return canonical_json(meta).encode()


def _entry(item: Item, outcome: ItemOutcome, shard: str) -> Entry:
    ok = outcome.status == "ok"
    return Entry(
        clip_id=item.clip_id,
        source=item.source,
        source_id=item.source_id,
        label=item.label,
        status=outcome.status,
        reason=outcome.reason,
        shard=shard if ok else None,
        audio_sha256=outcome.sha256.get("flac"),
        video_sha256=outcome.sha256.get("mp4"),
        json_sha256=hashlib.sha256(_meta_bytes(item, outcome)).hexdigest() if ok else None,
        facts={**item.facts, **outcome.facts},
    )
