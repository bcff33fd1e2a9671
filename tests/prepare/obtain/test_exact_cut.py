"""A clap and a flash at known times: every cut shows and sounds them when it should, wherever the keyframes are."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest

from foleybench.api.dataset import PROFILES, Profile
from foleybench.errors import MediaError
from foleybench.prepare.normalise.normalise import normalise
from tests.prepare.obtain import clap_and_flash

DURATION_S, SHORT_S = 40.0, 6.0
# Fine enough to see an error of the cut.
FINE = Profile(name="fine", fps=100.0, short_side_px=64, clip_s=3.0)
# What people use: frames stand every 40 ms, and each is at most half of that from its own time.
USUAL = dataclasses.replace(FINE, name="usual", fps=PROFILES["default"].fps)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clap_and_flash.write(tmp_path_factory.mktemp("video") / "video.mp4", DURATION_S)


def errors_s(video: Path, start_s: float, profile: Profile) -> list[tuple[float, float]]:
    """Return (video, audio) errors of every clap inside the cut."""
    sample = normalise(video, profile, asked_start_s=start_s, cut_s=start_s)
    assert sample.facts["real_start_s"] == pytest.approx(start_s, abs=1e-6)
    assert sample.facts["real_end_s"] == pytest.approx(start_s + profile.clip_s, abs=1e-3)
    assert abs(sample.facts["av_offset_s"]) < 0.02
    seen, heard = clap_and_flash.seen_s(sample), clap_and_flash.heard_s(sample)
    inside = [t - start_s for t in clap_and_flash.times_s(DURATION_S) if 0.1 < t - start_s < profile.clip_s - 0.1]
    assert inside
    assert all(min(abs(s - t) for t in [*inside, 0.0, profile.clip_s]) < 0.11 for s in [*seen, *heard])
    return [(min(seen, key=lambda s: abs(s - t)) - t, min(heard, key=lambda s: abs(s - t)) - t) for t in inside]


def starts(n: int) -> list[float]:
    chance = random.Random(20)
    return [round(chance.uniform(0.0, DURATION_S - 10.5), 3) for _ in range(n)]


def check(video: Path, n: int, profile: Profile) -> None:
    for start_s in starts(n):
        for picture_s, sound_s in errors_s(video, start_s, profile):
            assert abs(picture_s) < 0.0201
            assert abs(sound_s) < 0.001
            assert abs(picture_s - sound_s) < 0.0205


@pytest.mark.slow
@pytest.mark.parametrize("profile", [FINE, USUAL], ids=["fine", "usual"])
def test_forty_cuts_are_exact(video: Path, profile: Profile):
    check(video, 40, profile)


@pytest.mark.slow
def test_the_default_profile_shows_a_flash_at_the_nearest_picture_of_its_grid(video: Path):
    profile = dataclasses.replace(PROFILES["default"], clip_s=5.0)
    sample = normalise(video, profile, cut_s=7.123)
    seen = clap_and_flash.seen_s(sample)
    inside = [t - 7.123 for t in clap_and_flash.times_s(DURATION_S) if 0.1 < t - 7.123 < 4.9]
    assert seen == pytest.approx([round(t * 25) / 25 for t in inside], abs=1e-6)


@pytest.fixture(scope="module")
def short_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clap_and_flash.write(tmp_path_factory.mktemp("video") / "short.mp4", SHORT_S)


def test_a_video_that_ends_before_the_asked_second_is_told(short_video: Path):
    with pytest.raises(MediaError) as caught:
        normalise(short_video, FINE, cut_s=SHORT_S + 5)
    assert caught.value.status == "ends_early"


def test_a_cut_at_the_end_is_short(short_video: Path):
    facts = normalise(short_video, FINE, asked_start_s=SHORT_S - 1, cut_s=SHORT_S - 1).facts
    assert "short" in facts["flags"]
    assert facts["duration_s"] == pytest.approx(1.0, abs=0.05)
    assert facts["real_end_s"] == pytest.approx(SHORT_S, abs=0.1)
