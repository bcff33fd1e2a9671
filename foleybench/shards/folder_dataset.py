"""Read a data set from its media files, without shards.

``list_folder`` writes the clips of a folder as a manifest (in a cache, never beside the media); ``FolderDataset`` reads
the clips from the folder. Audio is read by ``media.read_media_sound``: whole, at its own rate, not rounded; its length
is the clip's. For audio of 16 bits a shard would hold the same samples.

The manifest's hash names the test set: names and the SHA-256 of every file, not their folder.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from foleybench.clips import AudioArray, Channels, Clip
from foleybench.errors import FoleyError, ManifestError, MediaError, why
from foleybench.files import file_sha256, write_atomically
from foleybench.media.folder import VIDEO_ENDINGS, ClipFile, FolderFiles, clip_files, list_files, printable
from foleybench.shards.dataset import ShardDataset, two
from foleybench.shards.manifest import Entry, Header, Manifest, manifest_bytes, read_manifest

# The profile in a manifest's header when its clips are files and not in shards.
PROFILE: dict[str, Any] = {"name": "files"}
SPLIT = "files"
_WHERE = "folder.json"
_VERSION = 1
# Frames are given to encoders as the default profile of shards shows them.
_FPS = 25.0
_SHORT_SIDE_PX = 256
_HASHERS = 4
# Longer audio is a mistake, or not a clip.
_LONGEST_S = 3600.0
# Name of the factor with the remarks on a clip's audio, as (kind, detail).
REMARKS = "remarks"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ListedFolder:
    """A folder as a data set.

    Attributes:
        manifest: The listing, in the cache.
        clips: The files that are clips.
        doubled: Files that are not used because another file is the same clip.
        files: All files in the folder.
    """

    manifest: Path
    clips: list[ClipFile]
    doubled: list[ClipFile]
    files: FolderFiles

    @property
    def sources(self) -> dict[str, str]:
        """Clip id -> its file as the listing names it, in the listing's order."""
        return {file.clip_id: printable(file.path) for file in sorted(self.clips, key=lambda file: file.clip_id)}


def list_folder(root: Path, *, dataset_name: str, home: Path) -> ListedFolder:
    """List the clips of a folder of media files and write the listing.

    Args:
        root: The folder, searched with its subfolders.
        dataset_name: Name in results and tables.
        home: Folder of the listings; each has a folder named by its content.

    Raises:
        FoleyError: There is no such folder, no media file in it, or ``home`` cannot be written.
    """
    if not root.is_dir():
        raise FoleyError(f"no folder at {root}; a folder of media files with the real audio is wanted.")
    files = list_files(root)
    named = clip_files(files.media)
    clips = [file for file in named if file.same_as is None]
    if not clips:
        others = f"; it holds {', '.join(str(path) for path in files.others[:3])} ..." if files.others else ""
        raise FoleyError(f"{root} holds no audio or video that is known by its ending{others}.")
    with ThreadPoolExecutor(_HASHERS) as pool:
        hashes = list(pool.map(lambda file: _sha256(root, file), clips))
    entries = [_entry(file, sha256) for file, sha256 in zip(clips, hashes, strict=True)]
    header = Header(dataset=dataset_name, split=SPLIT, version=_VERSION, profile=PROFILE, tools={})
    data = manifest_bytes(header, sorted(entries, key=lambda entry: entry.clip_id))
    # In ASCII: the name of a folder need not be UTF-8.
    where = json.dumps({"root": str(root.absolute())}).encode()
    folder = home / hashlib.sha256(where + data).hexdigest()[:16]
    write_atomically(folder / _WHERE, where)
    manifest = folder / f"{SPLIT}.manifest.jsonl"
    write_atomically(manifest, data)
    doubled = [file for file in named if file.same_as is not None]
    return ListedFolder(manifest=manifest, clips=clips, doubled=doubled, files=files)


def _sha256(root: Path, file: ClipFile) -> str:
    path = root / file.path
    if not path.is_file():
        return ""  # A pipe is never opened, a link may lead nowhere: reading the clip will say so.
    try:
        return file_sha256(path)
    except OSError as error:
        raise FoleyError(f"{path} cannot be read: {why(error)}.") from error


def _entry(file: ClipFile, sha256: str) -> Entry:
    video = file.path.suffix.lower() in VIDEO_ENDINGS
    facts: dict[str, Any] = {"start_s": file.start_s} if file.start_s else {}
    if printable(file.path) != str(file.path):
        facts["path_bytes"] = os.fsencode(file.path).hex()
    return Entry(
        clip_id=file.clip_id,
        source=printable(file.path),
        source_id=file.source_id,
        label="",
        status="ok",
        audio_sha256=sha256,
        video_sha256=sha256 if video else None,
        facts=facts,
    )


class FolderDataset(ShardDataset):
    """The clips of a listed folder, read from the files themselves."""

    def __init__(self, path: Path, read: Manifest | None = None) -> None:
        """Read a listing.

        Args:
            path: The listing.
            read: What that file holds, where it has been read already.

        Raises:
            ManifestError: The listing does not follow its schema, or the file with its folder's path is missing.
        """
        super().__init__(path, read)
        try:
            self._root = Path(json.loads((path.parent / _WHERE).read_text(encoding="utf-8"))["root"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ManifestError(f"{path} has no {_WHERE} beside it with the path of its files: {error}.") from error

    def load(
        self, clip_id: str, *, video: bool = True, audio: bool = True, verify: bool = True, channels: Channels = "mean"
    ) -> Clip:
        """Read one clip; see ``ShardDataset.load``. Its frames are None when the file has no video."""
        entry = self.entry(clip_id)
        file = self._file(entry)
        if verify and (not file.is_file() or file_sha256(file) != entry.audio_sha256):
            state = "changed since it was listed" if file.is_file() else "is no file"
            raise ManifestError(f"{entry.source} {state}. Run the command again.")
        try:
            wanted = {"video": video and entry.video_sha256 is not None, "audio": audio}
            return self._read(entry, file, channels, **wanted)
        except MediaError as error:
            raise ManifestError(f"the real audio of {clip_id} ({entry.source}) cannot be used: {error}") from error

    def sides(self, clip_id: str) -> AudioArray | None:
        """Return both channels of a clip's audio; see ``ShardDataset.sides``."""
        from foleybench.media.hear import hear_sides

        entry = self.entry(clip_id)
        try:
            return two(hear_sides(self._file(entry), max_s=_LONGEST_S))
        except MediaError as error:
            raise ManifestError(f"the real audio of {clip_id} ({entry.source}) cannot be used: {error}") from error

    def members(self, clip_id: str) -> dict[str, bytes]:
        """Refuse: there are no members.

        Raises:
            ManifestError: Always.
        """
        raise ManifestError(f"{clip_id} lies in a folder and not in a shard. Make shards with `foleybench prepare`.")

    def verify(self) -> list[str]:
        """Return the faults of the files: an empty list when each is the listed one."""
        wrong = []
        for entry in self.entries():
            file = self._file(entry)
            if not file.is_file() or file_sha256(file) != entry.audio_sha256:
                wrong.append(f"{file} is not the file that was listed.")
        return wrong

    def _file(self, entry: Entry) -> Path:
        as_bytes = entry.facts.get("path_bytes")
        return self._root / (os.fsdecode(bytes.fromhex(as_bytes)) if as_bytes else entry.source)

    def _read(self, entry: Entry, file: Path, channels: Channels, *, video: bool, audio: bool) -> Clip:
        from foleybench.media.hear import hear
        from foleybench.media.read import read_picture

        # Without audio the length of the clip is unknown.
        heard = hear(file, channels, max_s=_LONGEST_S)
        sound, rate_hz = heard.audio, heard.rate_hz
        if heard.goes_on:
            raise MediaError("too_large", f"the audio is longer than {_LONGEST_S:.0f} s; cut it into clips")
        if not len(sound):
            raise MediaError("undecodable", "the file holds no samples")
        duration_s = len(sound) / rate_hz
        frames, times_s = None, np.zeros(0)
        if video:
            frames, times_s = read_picture(file, max_s=duration_s, fps=_FPS, short_side_px=_SHORT_SIDE_PX)
        return Clip(
            clip_id=entry.clip_id,
            source_id=entry.source_id,
            label=entry.label,
            split=self.manifest.header.split,
            duration_s=duration_s,
            frames=frames,
            frame_times_s=times_s,
            audio=sound if audio else None,
            rate_hz=rate_hz,
            factors={REMARKS: [list(remark) for remark in heard.remarks]} if heard.remarks else {},
            n_channels=heard.n_channels,
        )


def open_dataset(path: Path) -> ShardDataset:
    """Return the data set of a manifest, whether its clips lie in shards or in a folder.

    Raises:
        ManifestError: The manifest does not follow its schema.
    """
    manifest = read_manifest(path)
    kind = FolderDataset if manifest.header.profile == PROFILE else ShardDataset
    return kind(path, manifest)


def has_picture(entries: Sequence[Entry]) -> bool:
    """Return whether any clip has video."""
    return any(entry.video_sha256 is not None for entry in entries)
