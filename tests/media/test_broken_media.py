"""Media broken at random: every file is a sample or a MediaError with a reason, in bounded time and memory."""

import sys
import time
from pathlib import Path

import numpy as np
import pytest

from foleybench.api.dataset import Profile
from foleybench.errors import MediaError
from foleybench.prepare import parse_options, prepare
from foleybench.prepare.normalise.normalise import normalise
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest
from tests.made_media import RATE_HZ, write_video
from tests.mutated_media import MUTATIONS, mutate

PROFILE = Profile(name="test", clip_s=1.0)


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> list[Path]:
    """A second of noise in four containers."""
    folder = tmp_path_factory.mktemp("good")
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (25, 48, 64, 3)).astype(np.uint8)
    audio = rng.normal(0, 0.1, (2, RATE_HZ)).astype(np.float32)
    made = [
        write_video(folder / "a.mp4", frames, audio=audio),
        write_video(folder / "b.mp4", frames, audio=audio, options={"movflags": "faststart"}),
        write_video(folder / "c.mkv", frames, audio=audio, audio_codec="libmp3lame"),
        write_video(folder / "d.avi", frames, audio=audio, codec="mpeg4", audio_codec="libmp3lame"),
    ]
    for path in made:
        normalise(path, PROFILE)
    return made


def broken(good: list[Path], k: int) -> tuple[str, Path, bytes]:
    rng = np.random.default_rng((7, k))
    source = good[k % len(good)]
    name, data = mutate(source.read_bytes(), rng)
    return name, source, data


def test_every_kind_of_damage_is_tried(good: list[Path]):
    assert {broken(good, k)[0] for k in range(60)} == set(MUTATIONS)


@pytest.mark.slow
def test_a_sample_or_a_reason(good: list[Path], tmp_path: Path):
    ended = []
    for k in range(60):
        _, source, data = broken(good, k)
        path = tmp_path / f"m{source.suffix}"
        path.write_bytes(data)
        started = time.process_time()
        try:
            sample = normalise(path, PROFILE)
            ended.append("ok")
            assert sample.facts["duration_s"] <= PROFILE.clip_s
        except MediaError as error:
            ended.append(error.status if error.reason else "no reason")
        assert time.process_time() - started < 10
    assert "no reason" not in ended
    assert ended.count("ok") >= 10
    assert len(ended) - ended.count("ok") >= 10


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory of a worker is limited on Linux only")
def test_through_prepare(good: list[Path], tmp_path: Path):
    media = tmp_path / "media"
    media.mkdir()
    for k in range(120, 300):
        _, source, data = broken(good, k)
        (media / f"m{k}{source.suffix}").write_bytes(data)
    options = parse_options("folder", [str(media), "--clip-seconds", "1"])
    made = prepare("folder", options, tmp_path / "out", jobs=2, time_limit_s=30, memory_mb=1024)
    entries = read_manifest(made["test"]).entries
    assert len(entries) == 180
    assert all(entry.reason for entry in entries if entry.status != "ok")
    assert not {"crashed", "timeout", "out_of_memory"} & {entry.status for entry in entries}
    assert ShardDataset(made["test"]).verify() == []
