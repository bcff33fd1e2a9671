"""A made data set for benchmarks: many clips of noise bursts with one small video, as shard and manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from foleybench.clips import AudioArray
from foleybench.media.audio import flac_bytes
from foleybench.media.read import encode_mp4
from foleybench.shards.dataset import shard_name, write_shard
from foleybench.shards.manifest import Entry, Header, manifest_path, write_manifest


def sound(index: int, seconds: float, rate_hz: int) -> AudioArray:
    """Return a second-long swell of noise, repeated, different for every index."""
    rng = np.random.default_rng(index)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    envelope = 0.1 + 0.4 * np.abs(np.sin(np.pi * (time_s + rng.random()))) ** 3
    return np.asarray(envelope * rng.normal(0, 0.2, len(time_s)), dtype=np.float32)


def make(
    folder: Path,
    n_clips: int,
    seconds: float,
    rate_hz: int = 16000,
    *,
    split: str = "test",
    first: int = 0,
    audio_of: Callable[[int, float, int], AudioArray] = sound,
) -> Path:
    """Write a split of the data set, with the clips from number ``first`` on; return its manifest."""
    picture = encode_mp4(np.full((round(5 * seconds), 32, 32, 3), 90, dtype=np.uint8), 5.0)
    shard, samples, entries = shard_name(split, 0), [], []
    for index in range(first, first + n_clips):
        clip_id = f"made{index:06d}_000000"
        meta = {"duration_s": seconds, "rate_hz": rate_hz, "events": None, "factors": {}}
        fields = {"mp4": picture, "flac": flac_bytes(audio_of(index, seconds, rate_hz), rate_hz)}
        fields["json"] = json.dumps(meta).encode()
        samples.append((clip_id, {key: (lambda data=data: data) for key, data in fields.items()}))
        entry = Entry(
            clip_id=clip_id,
            source="made for a benchmark",
            source_id=clip_id[:10],
            label=f"class{index % 10}",
            status="ok",
            shard=shard,
            audio_sha256=hashlib.sha256(fields["flac"]).hexdigest(),
            video_sha256=hashlib.sha256(picture).hexdigest(),
            facts={"duration_s": seconds},
        )
        entries.append(entry)
    write_shard(folder / shard, samples)
    path = manifest_path(folder, split)
    write_manifest(path, Header(dataset="made", split=split, version=1, profile={"name": "made"}, tools={}), entries)
    return path
