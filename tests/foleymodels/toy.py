"""A toy corpus for tests: a square flashes whenever a click or a tone burst starts; the colour tells which."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from foleybench.clips import AudioArray, FrameArray
from foleybench.files import canonical_json
from foleybench.media.audio import flac_bytes
from foleybench.media.read import encode_mp4
from foleybench.shards.dataset import shard_name, write_shard
from foleybench.shards.manifest import Entry, Header, manifest_path, write_manifest

RATE_HZ = 16000
FPS = 25.0


def toy_clip(
    rng: np.random.Generator,
    label: str,
    duration_s: float,
    fps: float = FPS,
    side: int = 32,
    *,
    rate_hz: int = RATE_HZ,
):
    """Return frames, audio and onset times of one clip."""
    onsets = np.sort(rng.uniform(0.1, duration_s - 0.1, size=max(1, round(duration_s * 1.5))))
    frames: FrameArray = np.full((max(1, round(duration_s * fps)), side, side, 3), 40, dtype=np.uint8)
    frames += rng.integers(0, 6, frames.shape, dtype=np.uint8)
    audio: AudioArray = np.zeros(round(duration_s * rate_hz), dtype=np.float32)
    colour = (220, 60, 60) if label == "click" else (60, 60, 220)
    for onset in onsets:
        first = int(onset * fps)
        frames[first : first + 3, 8:24, 8:24] = colour
        start = round(onset * rate_hz)
        burst = _burst(label, rng, rate_hz)[: len(audio) - start]
        audio[start : start + len(burst)] += burst
    return frames, audio, onsets


def _burst(label: str, rng: np.random.Generator, rate_hz: int) -> AudioArray:
    t = np.arange(rate_hz // 5) / rate_hz
    tone = np.sin(2 * np.pi * 440 * t) if label == "tone" else rng.standard_normal(len(t))
    return (0.4 * np.exp(-t / 0.03) * tone).astype(np.float32)


def toy_corpus(
    folder: Path, split: str, n_clips: int, *, duration_s: float = 1.28, seed: int = 0, rate_hz: int = RATE_HZ
) -> Path:
    """Write shards and a manifest; return the manifest."""
    rng = np.random.default_rng([seed, *split.encode()])
    samples, entries = [], []
    shard = shard_name(split, 0)
    for index in range(n_clips):
        label = ("click", "tone")[index % 2]
        frames, audio, onsets = toy_clip(rng, label, duration_s, rate_hz=rate_hz)
        clip_id = f"toy{index:04d}_000000"
        mp4, flac = encode_mp4(frames, FPS), flac_bytes(audio, rate_hz)
        events = [{"time_s": float(t), "label": label} for t in onsets]
        meta = {"duration_s": duration_s, "rate_hz": rate_hz, "events": events, "factors": {}}
        members = {"mp4": mp4, "flac": flac, "json": canonical_json(meta).encode()}
        samples.append((clip_id, {name: (lambda data=data: data) for name, data in members.items()}))
        entries.append(
            Entry(
                clip_id=clip_id,
                source="toy",
                source_id=f"toy{index:04d}",
                label=label,
                status="ok",
                shard=shard,
                audio_sha256=hashlib.sha256(flac).hexdigest(),
                video_sha256=hashlib.sha256(mp4).hexdigest(),
            )
        )
    write_shard(folder / shard, samples)
    path = manifest_path(folder, split)
    write_manifest(path, Header(dataset="toy", split=split, version=1, profile={}, tools={}), entries)
    return path
