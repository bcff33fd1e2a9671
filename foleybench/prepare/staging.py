"""Keep the finished clips of a split until they are packed.

Clips lie on disk beside a fingerprint of everything that decides their bytes.

``<out>/.staging/<split>/fingerprint.json``, then a folder ``000012`` for the clips that will share shard 12: for each
clip ``<clip_id>.mp4`` and ``<clip_id>.flac`` (when it could be made) and last ``<clip_id>.json``. The JSON file is the
sign that the clip is finished; each file appears by rename. When all clips of a folder are finished they are packed
into their shard, ``000012.part.jsonl`` says so (its lines of the manifest), and the folder goes away: so no folder ever
holds more than a shard's clips, and the disk never holds all clips twice.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foleybench.api.dataset import Item, Sample
from foleybench.errors import FoleyError
from foleybench.files import named_in_errors, write_atomically
from foleybench.shards.manifest import FAILED, STATUSES

FOLDER = ".staging"
FINGERPRINT = "fingerprint.json"
# The way to the media may change from run to run.
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HASHED = tuple(field.name for field in dataclasses.fields(Item) if field.name != "access")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ItemOutcome:
    """The outcome of one item.

    Attributes:
        status: ``ok`` or one word for the failure.
        reason: A sentence on the failure, "" when ok.
        facts: The manifest line's facts.
        events: Exact events as JSON objects, or None.
        factors: Facts that the corpus states about the clip.
        sha256: Of each staged media file, by field; empty unless ok.
        retry_after_s: How long a server asked to wait before another try, or None; never in a manifest.
    """

    status: str
    reason: str = ""
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    events: list[dict[str, Any]] | None = None
    factors: dict[str, Any] = dataclasses.field(default_factory=dict)
    sha256: dict[str, str] = dataclasses.field(default_factory=dict)
    retry_after_s: float | None = None


def failure(status: str, reason: str, retry_after_s: float | None = None) -> ItemOutcome:
    """Return a failed outcome; a status unknown to manifests (from a plug-in) becomes ``failed``, with that word."""
    if status in STATUSES - {"ok"}:
        return ItemOutcome(status=status, reason=reason, retry_after_s=retry_after_s)
    return ItemOutcome(status=FAILED, reason=f"{status}: {reason}", retry_after_s=retry_after_s)


def dumps(record: Any) -> str:
    """Return JSON in ASCII with sorted keys: file names that are not UTF-8 survive it, NaN is refused."""
    return json.dumps(record, sort_keys=True, allow_nan=False)


def items_sha256(items: Sequence[Item]) -> str:
    """Return a hash over everything that the items say, in order."""
    digest = hashlib.sha256()
    for item in items:
        said = {name: getattr(item, name) for name in _HASHED}
        digest.update(dumps(said).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def stage_sample(folder: Path, clip_id: str, sample: Sample) -> None:
    """Write a finished clip: media first, the JSON file last."""
    media = {"flac": sample.flac, **({"mp4": sample.mp4} if sample.mp4 is not None else {})}
    for field, data in media.items():
        _write(folder / f"{clip_id}.{field}", data)
    outcome = ItemOutcome(
        status="ok",
        facts=sample.facts,
        events=sample.events,
        factors=sample.factors,
        sha256={field: hashlib.sha256(data).hexdigest() for field, data in media.items()},
    )
    stage_outcome(folder, clip_id, outcome)


def stage_outcome(folder: Path, clip_id: str, outcome: ItemOutcome) -> None:
    """Write the JSON file with the outcome of a clip."""
    _write(folder / f"{clip_id}.json", dumps(dataclasses.asdict(outcome)).encode())


def stage_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write files that were staged elsewhere, the JSON file last."""
    for name in sorted(files, key=lambda name: (name.endswith(".json"), name)):
        _write(folder / name, files[name])


def _write(path: Path, data: bytes) -> None:
    # No fsync: there are many small files, the hashes recorded beside them are checked when they are packed.
    temporary = path.with_name(f".{path.name}.tmp")
    with named_in_errors(path):
        temporary.write_bytes(data)
    temporary.replace(path)


class Staging:
    """The staging area of one split.

    Attributes:
        folder: Folder of the staged clips.
        fingerprint: The values that decide the bytes of this split.
    """

    def __init__(self, out: Path, split: str, fingerprint: dict[str, Any]) -> None:
        self.folder = out / FOLDER / split
        self.fingerprint = fingerprint

    def check(self) -> None:
        """Refuse staged clips that were made from something else.

        Raises:
            FoleyError: The fingerprint differs; the message says in what.
        """
        path = self.folder / FINGERPRINT
        if path.is_file():
            refuse_change(self.folder, read_own_json(path), self.fingerprint)

    def open(self) -> None:
        """Create the area, or check that it belongs to this fingerprint."""
        self.check()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / FINGERPRINT, self.fingerprint_bytes())

    def fingerprint_bytes(self) -> bytes:
        """Return the fingerprint as it is written."""
        return dumps(self.fingerprint).encode()

    def clips_folder(self, index: int) -> Path:
        """Return where the clips of a shard wait until all are finished."""
        return self.folder / f"{index:06d}"

    def part_path(self, index: int) -> Path:
        """Return the file that is there when a shard is packed: its description, then its lines of the manifest."""
        return self.folder / f"{index:06d}.part.jsonl"

    def staged(self, index: int) -> set[str]:
        """Return the ids of the finished clips that wait to be packed into a shard."""
        folder = self.clips_folder(index)
        return {path.stem for path in folder.glob("*.json")} if folder.is_dir() else set()

    def remove(self) -> None:
        """Delete the area, and the folder above it when this was the last split."""
        shutil.rmtree(self.folder, ignore_errors=True)
        above = self.folder.parent
        if above.is_dir() and not any(above.iterdir()):
            above.rmdir()


def staged_outcome(folder: Path, clip_id: str) -> ItemOutcome:
    """Return the outcome of a staged clip."""
    return ItemOutcome(**read_own_json(folder / f"{clip_id}.json"))


def staged_media(folder: Path, clip_id: str, field: str, sha256: str) -> bytes:
    """Return a staged media file.

    Raises:
        FoleyError: The file differs from what was staged (a crash of the machine); the clip is un-staged.
    """
    path = folder / f"{clip_id}.{field}"
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != sha256:
        (folder / f"{clip_id}.json").unlink()
        raise FoleyError(f"the staged file {path} is damaged; the clip was un-staged. Run the same command again.")
    return data


def read_own_json(path: Path) -> dict[str, Any]:
    """Read one of our own JSON objects.

    Raises:
        FoleyError: The file does not hold a JSON object.
    """
    try:
        record = json.loads(path.read_bytes())
    except ValueError as error:
        raise FoleyError(f"{path} is damaged ({error}). Run again with --force.") from error
    if not isinstance(record, dict):
        raise FoleyError(f"{path} is damaged (no JSON object). Run again with --force.")
    return record


def refuse_change(where: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Raise a FoleyError that names what differs between two fingerprints; do nothing when they agree."""
    old, new = _flat(old), _flat(new)
    differs = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    if not differs:
        return
    details = "; ".join(f"{key} was {_short(old.get(key))}, now {_short(new.get(key))}" for key in differs)
    raise FoleyError(
        f"{where} was made with other settings or sources: {details}. Use --force to make it again, or another --out."
    )


def _flat(record: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return the leaf values of nested objects under dotted names."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return flat


def _short(value: Any) -> str:
    text = dumps(value)
    if isinstance(value, str) and _SHA256.fullmatch(value):
        return f"{value[:12]}..."
    return text if len(text) <= 120 else f"{text[:117]}..."
