"""A small data set of clicks with exact times, made on the spot. No binaries in git."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from foleybench.media.audio import flac_bytes
from foleybench.media.read import encode_mp4
from foleybench.shards.dataset import shard_name, write_shard
from foleybench.shards.manifest import Entry, Header, manifest_path, write_manifest

RATE_HZ = 16000
LABELS = ("bounce_bar", "hammer_bell")


def click_track(times_s: list[float], duration_s: float, pitch_hz: float) -> np.ndarray:
    """Return decaying tones that start at the given times."""
    audio = np.zeros(round(duration_s * RATE_HZ), dtype=np.float32)
    time_s = np.arange(2000) / RATE_HZ
    burst = (0.5 * np.exp(-time_s * 40) * np.sin(2 * np.pi * pitch_hz * time_s)).astype(np.float32)
    for start in times_s:
        first = round(start * RATE_HZ)
        part = audio[first : first + len(burst)]
        part += burst[: len(part)]
    return audio


def _sample(index: int, duration_s: float) -> tuple[str, dict[str, bytes], dict[str, object]]:
    rng = np.random.default_rng(index)
    label = LABELS[index % 2]
    times = (0.2 + 0.4 * np.arange(4) + rng.uniform(0, 0.1, 4)).tolist()
    audio = click_track(times, duration_s, 600.0 + 500 * (index % 2))
    audio += rng.normal(0, 1e-3, len(audio)).astype(np.float32)
    frames = np.full((round(25 * duration_s), 32, 32, 3), 40, dtype=np.uint8)
    for start in times:
        frames[round(start * 25) : round(start * 25) + 2, 8:24, 8:24] = (250, 80, 20) if index % 2 else (20, 80, 250)
    events = [{"time_s": start, "kind": "onset", "label": label} for start in times]
    meta = {"duration_s": duration_s, "rate_hz": RATE_HZ, "events": events, "factors": {}}
    fields = {"mp4": encode_mp4(frames, 25.0), "flac": flac_bytes(audio, RATE_HZ), "json": json.dumps(meta).encode()}
    return f"clip{index:02d}_000000", fields, meta


def make_clicks(folder: Path, n: int = 6, *, split: str = "test", duration_s: float = 2.0) -> Path:
    """Make a data set named ``clicks`` in a folder; return its manifest."""
    samples = [_sample(index, duration_s) for index in range(n)]
    shard = shard_name(split, 0)
    write_shard(folder / shard, [(i, {k: (lambda d=d: d) for k, d in f.items()}) for i, f, _ in samples])
    entries = [
        Entry(
            clip_id=clip_id,
            source="made for a test",
            source_id=clip_id[:6],
            label=LABELS[index % 2],
            status="ok",
            shard=shard,
            audio_sha256=hashlib.sha256(fields["flac"]).hexdigest(),
            video_sha256=hashlib.sha256(fields["mp4"]).hexdigest(),
            json_sha256=hashlib.sha256(fields["json"]).hexdigest(),
            facts={"duration_s": duration_s},
        )
        for index, (clip_id, fields, _) in enumerate(samples)
    ]
    header = Header(dataset="clicks", split=split, version=1, profile={"name": "test"}, tools={})
    path = manifest_path(folder, split)
    write_manifest(path, header, entries)
    return path
