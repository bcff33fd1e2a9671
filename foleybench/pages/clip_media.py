"""Clips as pages show them: real audio, and video without sound."""

from __future__ import annotations

from foleybench.clips import Clip
from foleybench.errors import ManifestError, MediaError
from foleybench.media.h264 import encode_mp4
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import FolderDataset

_FPS = 25.0  # the rate at which ``FolderDataset`` gives frames


def clip_ids_with_video(data: ShardDataset) -> list[str]:
    """Return the usable clips that have video, in the order of the manifest."""
    return [clip_id for clip_id in data.clip_ids if data.entry(clip_id).video_sha256 is not None]


def load_shown(data: ShardDataset, clip_id: str) -> Clip:
    """Read a clip for ``video_bytes``: with frames only where its video is made from them.

    Raises:
        MediaError: The file of a listed folder cannot be used: a clip less.
        ManifestError: A shard is broken, or a file changed: an error.
    """
    try:
        return data.load(clip_id, video=isinstance(data, FolderDataset))
    except ManifestError as error:
        if isinstance(error.__cause__, MediaError) and isinstance(data, FolderDataset):
            raise error.__cause__ from error
        raise


def video_bytes(data: ShardDataset, clip: Clip) -> bytes:
    """Return a clip's video without sound as MP4: as it lies in its shard, or made from the frames that a file gives.

    Raises:
        MediaError: There is no picture, or one of a single pixel.
    """
    if not isinstance(data, FolderDataset):
        return data.members(clip.clip_id)["mp4"]
    if clip.frames is None or min(clip.frames.shape[1:3]) < 2:
        raise MediaError("no_video", "it has no picture, or one of a single pixel")
    height, width = (size // 2 * 2 for size in clip.frames.shape[1:3])  # H.264 has even sizes
    return encode_mp4(clip.frames[:, :height, :width], _FPS)
