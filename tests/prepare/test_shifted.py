"""A copy of a video that starts two seconds later, in another split, is found by its content."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from foleybench.dataset_card.words import between
from foleybench.prepare import parse_options, prepare
from foleybench.prepare.duplicate_flags import BETWEEN, count_unread, read_between, write_between
from tests.made_media import RATE_HZ, write_video
from tests.prepare.normalise.test_fingerprint import sound

# Each test prepares two folders, in worker processes.
pytestmark = pytest.mark.slow
SECONDS = 6.0


def scene(seed: int, seconds: float = SECONDS) -> tuple[np.ndarray, np.ndarray]:
    """Return patches of which one after another lights up, and bursts; the longer, the more of the same."""
    rng = np.random.default_rng(seed)
    first, last = rng.uniform(20, 230, (2, 4, 6))
    n = round(25 * seconds)
    patches = [first + (last - first) * k / 250 for k in range(n)]
    frames = np.stack([np.kron(p, np.ones((12, 10)))[:, :, None].repeat(3, axis=2) for p in patches]).astype(np.uint8)
    return frames, sound(seed, 10.0, RATE_HZ)[: round(seconds * RATE_HZ)]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return three clips, and: the first from 2 s on, the audio of the second from 1.5 s on, another."""
    train, test = tmp_path_factory.mktemp("train"), tmp_path_factory.mktemp("test")
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        frames, audio = scene(seed)
        write_video(train / f"{name}.mp4", frames, audio=audio)
    frames, audio = scene(1, 8.0)
    write_video(test / "late.mkv", frames[50:, ::2, ::2], audio=0.4 * audio[2 * RATE_HZ :], audio_codec="libmp3lame")
    _, audio = scene(2, 7.5)
    write_video(test / "borrowed.mp4", scene(5)[0], audio=audio[3 * RATE_HZ // 2 :])
    frames, audio = scene(4)
    write_video(test / "other.mp4", frames, audio=audio)
    return train, test


def run(folder: Path, split: str, out: Path) -> None:
    asked = parse_options("folder", [str(folder), "--clip-seconds", "6", "--split", split])
    prepare("folder", asked, out, jobs=1)


def test_w13_a_copy_that_starts_two_seconds_later_is_found(videos: tuple[Path, Path], tmp_path: Path):
    """W13: neither ids nor whole fingerprints know of it; where only the audio is shared, the row says so."""
    run(videos[0], "train", tmp_path)
    run(videos[1], "test", tmp_path)
    found = read_between(tmp_path)
    assert found is not None
    rows = {tuple(row["clips"]): row for row in found}
    assert set(rows) == {("train/a", "test/late"), ("train/b", "test/borrowed")}
    late, borrowed = rows["train/a", "test/late"], rows["train/b", "test/borrowed"]
    assert (late["kind"], borrowed["kind"]) == ("shifted", "shifted_sound")
    assert (late["shift_s"], late["shared_s"]) == (pytest.approx(2.0, abs=0.06), pytest.approx(4.0, abs=0.06))
    assert (borrowed["shift_s"], borrowed["shared_s"]) == (pytest.approx(1.5, abs=0.06), pytest.approx(4.5, abs=0.06))
    told = list(between(found, count_unread(tmp_path)))
    assert told[0] == "copies between splits: 2, of these 2 by sharing seconds of one video"
    assert f"  test/late is a copy of train/a (shifted, {late['shift_s']:g} s later)" in told


def test_what_was_not_read_is_said_and_looked_for_when_it_is_there(videos: tuple[Path, Path], tmp_path: Path):
    run(videos[0], "train", tmp_path)
    shard = next(tmp_path.glob("train-*.tar"))
    shutil.move(shard, tmp_path / "away")
    run(videos[1], "test", tmp_path)
    assert read_between(tmp_path) == []
    assert count_unread(tmp_path) == {"train": 3}
    assert any("train: the audio of 3 clips was missing" in line for line in between([], count_unread(tmp_path)))
    shutil.move(tmp_path / "away", shard)
    write_between(tmp_path)
    assert count_unread(tmp_path) == {}
    assert len(read_between(tmp_path) or []) == 2
    written = (tmp_path / BETWEEN).read_bytes()
    write_between(tmp_path)
    assert (tmp_path / BETWEEN).read_bytes() == written


def test_clips_without_shared_seconds_are_not_pairs(videos: tuple[Path, Path], tmp_path: Path):
    run(videos[0], "train", tmp_path)
    others = tmp_path / "others"
    others.mkdir()
    frames, audio = scene(1, 10.0)
    # One second is shared: too little for a fingerprint to tell.
    write_video(others / "after.mp4", frames[125:], audio=audio[5 * RATE_HZ :])
    run(others, "test", tmp_path)
    assert read_between(tmp_path) == []
