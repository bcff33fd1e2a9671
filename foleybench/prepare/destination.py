"""Keep finished shards in the run's folder, or upload them.

With a URL, each shard is uploaded once it is packed: the folder of the run (``--work``) keeps manifests, records and
unfinished clips, and a shard leaves the folder after its upload was read back and compared. The record that a shard is
packed is uploaded with the shard, so another machine can go on with an empty folder. The manifest is sent last and
taken back first.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from foleybench.errors import FoleyError
from foleybench.prepare.duplicate_flags import BETWEEN
from foleybench.prepare.pack import Part, ShardGroup, part_bytes
from foleybench.prepare.split_record import record_path
from foleybench.prepare.staging import FINGERPRINT, FOLDER, Staging
from foleybench.shards.dataset import shard_names
from foleybench.shards.manifest import manifest_path
from foleybench.shards.store import Remote


class Destination:
    """Finished shards stay in the folder of the run."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of every shard that is there, by name."""
        return {path.name: path.stat().st_size for path in self.out.glob("*.tar")}

    def pull(self, split: str) -> None:
        """Fetch what another machine uploaded of a split; nothing to do in a local folder."""

    def withdraw(self, split: str, staging: Staging, *, fresh: bool) -> None:
        """Announce that a split is being made; ``fresh`` when packed shards are to be made again."""

    def bring(self, shard: str) -> None:
        """Bring a shard into the folder of the run."""

    def store(self, staging: Staging, group: ShardGroup, part: Part) -> None:
        """Store a packed shard, before its group counts as packed."""

    def clear(self, shard: str) -> None:
        """Delete the local copy of a shard that is stored and counts."""

    def publish(self, split: str) -> None:
        """Publish a finished split."""


class RemoteDestination(Destination):
    """Finished shards go to a URL.

    Args:
        out: Folder of the run.
        url: Where the shards go.
    """

    def __init__(self, out: Path, url: str) -> None:
        super().__init__(out)
        self._there = Remote(url)

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of every shard that is there, by name."""
        return {name: size for name, size in self._there.sizes().items() if name.endswith(".tar")}

    def pull(self, split: str) -> None:
        """Get what another machine has left of a split, unless this one knows the split."""
        manifest, staging = manifest_path(self.out, split), self.out / FOLDER / split
        if manifest.is_file() or staging.is_dir():
            return
        for name in sorted(self._there.sizes(f"{FOLDER}/{split}")):
            self._there.download(f"{FOLDER}/{split}/{name}", staging / name)
        record = record_path(self.out, split)
        for path in (record, manifest):
            name = path.relative_to(self.out).as_posix()
            if self._there.size(name) is not None:
                self._there.download(name, path)

    def withdraw(self, split: str, staging: Staging, *, fresh: bool) -> None:
        """Delete the manifest, and upload the fingerprint; shards packed under another fingerprint are deleted."""
        self._there.delete(manifest_path(self.out, split).name)
        folder = f"{FOLDER}/{split}"
        there = self._there.sizes(folder)
        ours = staging.fingerprint_bytes()
        if fresh or FINGERPRINT not in there or self._there.read(f"{folder}/{FINGERPRINT}") != ours:
            for name in there:
                self._there.delete(f"{folder}/{name}")
            self._there.write(f"{folder}/{FINGERPRINT}", ours)

    def bring(self, shard: str) -> None:
        """Download a shard."""
        if not (self.out / shard).is_file():
            self._there.download(shard, self.out / shard)

    def store(self, staging: Staging, group: ShardGroup, part: Part) -> None:
        """Upload a shard, then the record that the shard is packed."""
        if part.shard:
            self._there.upload(part.shard, self.out / part.shard, part.sha256)
        self._there.write(self._part_name(staging, group), part_bytes(part))

    def clear(self, shard: str) -> None:
        """Delete the local copy of an uploaded shard."""
        (self.out / shard).unlink(missing_ok=True)

    def publish(self, split: str) -> None:
        """Upload the record, then the manifest; then delete leftovers there and here."""
        manifest, record = manifest_path(self.out, split), record_path(self.out, split)
        shards = json.loads(record.read_bytes())["shards"]
        there = self.sizes()
        lost = [name for name in shards if there.get(name) != shards[name]["n_bytes"]]
        if lost:
            raise FoleyError(f"{self._there.locate(lost[0])} is lost. Run the same command again.")
        between = self.out / BETWEEN
        for path in (record, *([between] if between.is_file() else []), manifest):
            self._send(path)
        for name in shard_names(self.out, split):
            (self.out / name).unlink()
        stale = [name for name in there if _is_shard(name, split) and name not in shards]
        parts = [f"{FOLDER}/{split}/{name}" for name in self._there.sizes(f"{FOLDER}/{split}")]
        for name in (*stale, *parts):
            self._there.delete(name)

    def _send(self, path: Path) -> None:
        """Upload a file unless an equal one is there."""
        name, sha256 = path.relative_to(self.out).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()
        same = self._there.size(name) == path.stat().st_size
        if not (same and hashlib.sha256(self._there.read(name)).hexdigest() == sha256):
            self._there.upload(name, path, sha256)

    @staticmethod
    def _part_name(staging: Staging, group: ShardGroup) -> str:
        return f"{FOLDER}/{staging.fingerprint['split']}/{staging.part_path(group.index).name}"


def _is_shard(name: str, split: str) -> bool:
    return name.startswith(f"{split}-") and name.endswith(".tar") and name[len(split) + 1 : -4].isdigit()
