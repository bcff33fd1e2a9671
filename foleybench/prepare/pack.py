"""Staged clips into shards and a manifest, and back again."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from foleybench.datasets import Item, Sample
from foleybench.manifest import (
    Entry,
    Header,
    canonical_json,
    manifest_bytes,
    manifest_path,
    read_manifest,
    write_atomically,
)
from foleybench.prepare.staging import (
    TRANSIENT,
    Outcome,
    Staging,
    dumps,
    read_json,
    stage_outcome,
    stage_sample,
)
from foleybench.shards import ShardDataset, shard_name, shard_names, write_shard

MAX_CLIPS = 512
MAX_BYTES = 500 * 1000**2
RECORDS = ".prepared"


def record_path(out: Path, split: str) -> Path:
    """Return where the record of a finished split lies: its fingerprint, the hashes of its files."""
    return out / RECORDS / f"{split}.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finished:
    """A split whose manifest this command wrote.

    Attributes:
        fingerprint: What it was made from.
        whole: Whether every shard is there with its size.
    """

    fingerprint: dict[str, Any]
    whole: bool


def find_finished(out: Path, split: str) -> Finished | None:
    """Return the finished split in ``out``, or None when there is none or its manifest is not the one recorded."""
    record, manifest = record_path(out, split), manifest_path(out, split)
    if not record.is_file() or not manifest.is_file():
        return None
    stored = read_json(record)
    if stored.get("manifest_sha256") != hashlib.sha256(manifest.read_bytes()).hexdigest():
        return None
    sizes = {path.name: path.stat().st_size for path in out.glob("*.tar")}
    whole = all(sizes.get(name) == shard["n_bytes"] for name, shard in stored["shards"].items())
    return Finished(fingerprint=stored["fingerprint"], whole=whole)


def forget(out: Path, split: str) -> None:
    """Take a finished split back: the manifest first, so that nobody reads shards that are about to change."""
    manifest_path(out, split).unlink(missing_ok=True)
    record_path(out, split).unlink(missing_ok=True)


def transient_ids(out: Path, split: str) -> list[str]:
    """Return the clips of a finished split that another try may save."""
    entries = read_manifest(manifest_path(out, split)).entries
    return [entry.clip_id for entry in entries if entry.status in TRANSIENT]


def unpack(out: Path, staging: Staging) -> None:
    """Stage a finished split again, but for its transient failures, then take the finished split back."""
    data = ShardDataset(manifest_path(out, staging.fingerprint["split"]))
    staging.open()
    for entry in data.manifest.entries:
        if entry.status == "ok":
            stage_sample(staging.folder, entry.clip_id, _sample(data, entry))
        elif entry.status not in TRANSIENT:
            outcome = Outcome(status=entry.status, reason=entry.reason, facts=entry.facts)
            stage_outcome(staging.folder, entry.clip_id, outcome)
    forget(out, staging.fingerprint["split"])


def _sample(data: ShardDataset, entry: Entry) -> Sample:
    members = data.members(entry.clip_id)
    meta = json.loads(members["json"])
    return Sample(
        mp4=members["mp4"], flac=members["flac"], events=meta["events"], facts=entry.facts, factors=meta["factors"]
    )


def pack(out: Path, staging: Staging, items: Sequence[Item], header: Header) -> Path:
    """Write the shards of a split, its record, and last its manifest; then remove what is no longer needed.

    Returns:
        The manifest's path.
    """
    split = header.split
    entries: list[Entry] = []
    shards: dict[str, dict[str, Any]] = {}
    for shard, group in _groups(staging, items, split):
        samples = [
            (item.clip_id, _members(staging, item, outcome)) for item, outcome in group if outcome.status == "ok"
        ]
        if samples:
            write_shard(out / shard, samples)
            shards[shard] = _described(out / shard, len(samples))
        entries += [_entry(item, outcome, shard) for item, outcome in group]
    data = manifest_bytes(header, entries)
    record = {
        "fingerprint": staging.fingerprint,
        "manifest_sha256": hashlib.sha256(data).hexdigest(),
        "shards": shards,
    }
    write_atomically(record_path(out, split), dumps(record).encode())
    path = manifest_path(out, split)
    write_atomically(path, data)
    for stale in shard_names(out, split):
        if stale not in shards:
            (out / stale).unlink()
    staging.remove()
    return path


def _described(shard: Path, n_clips: int) -> dict[str, Any]:
    with shard.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"n_bytes": shard.stat().st_size, "n_clips": n_clips, "sha256": sha256}


def _groups(staging: Staging, items: Sequence[Item], split: str) -> Iterator[tuple[str, list[tuple[Item, Outcome]]]]:
    """Yield each shard's name and items: at most so many clips and bytes, in the order asked for."""
    group: list[tuple[Item, Outcome]] = []
    n_clips = n_bytes = index = 0
    for item in items:
        outcome = (
            Outcome(status=item.refused[0], reason=item.refused[1]) if item.refused else staging.outcome(item.clip_id)
        )
        size = sum((staging.folder / f"{item.clip_id}.{field}").stat().st_size for field in outcome.sha256)
        if n_clips and outcome.status == "ok" and (n_clips >= MAX_CLIPS or n_bytes + size > MAX_BYTES):
            yield shard_name(split, index), group
            group, n_clips, n_bytes, index = [], 0, 0, index + 1
        group.append((item, outcome))
        n_clips, n_bytes = n_clips + (outcome.status == "ok"), n_bytes + size
    if group:
        yield shard_name(split, index), group


def _members(staging: Staging, item: Item, outcome: Outcome) -> dict[str, Callable[[], bytes]]:
    members: dict[str, Callable[[], bytes]] = {
        field: functools.partial(staging.media, item.clip_id, field, sha256) for field, sha256 in outcome.sha256.items()
    }
    meta = {
        "clip_id": item.clip_id,
        "source": item.source,
        "source_id": item.source_id,
        "label": item.label,
        "split": item.split,
        "events": outcome.events,
        "factors": outcome.factors,
        **outcome.facts,
    }
    members["json"] = functools.partial(str.encode, canonical_json(meta))
    return members


def _entry(item: Item, outcome: Outcome, shard: str) -> Entry:
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
        facts=outcome.facts,
    )
