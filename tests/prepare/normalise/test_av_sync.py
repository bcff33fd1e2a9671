"""The offset found in the content: right where it says reliable, not reliable where nothing can be known."""

import numpy as np
import pytest

from foleybench.prepare.normalise.av_sync import _correlations, _vertex, best_offset

FPS = 25.0


def clip(offset_s: float, times: list[int], rate_hz: int = 16000, seed: int = 0) -> tuple[list[float], np.ndarray]:
    """Return the motion of 250 frames with a flash at each of ``times`` (frames) and a clap ``offset_s`` before it."""
    rng = np.random.default_rng(seed)
    motion = rng.uniform(0, 0.3, 250)
    audio = rng.normal(0, 1e-3, 10 * rate_hz)
    for frame in times:
        motion[frame] += 20.0
        motion[frame + 2] += 20.0  # The flash goes out again.
        start = round((frame / FPS - offset_s) * rate_hz)
        audio[start : start + rate_hz // 50] += rng.normal(0, 0.3, rate_hz // 50)
    return motion.tolist(), audio.astype(np.float32)


TIMES = [31, 58, 97, 126, 171, 203]


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
@pytest.mark.parametrize("offset_s", [0.0, 0.4, -0.4, 0.72, -0.96])
def test_flashes_and_claps(rate_hz: int, offset_s: float):
    motion, audio = clip(offset_s, TIMES, rate_hz)
    found = best_offset(motion, FPS, audio, rate_hz)
    assert found is not None
    assert found.reliable
    assert found.offset_s == pytest.approx(offset_s, abs=0.02)


@pytest.mark.parametrize(
    ("offset_s", "told_s"), [(-0.013, 0.0), (0.005, 0.04), (0.013, 0.04), (0.035, 0.04), (0.05, 0.08)]
)
def test_the_offset_is_as_fine_as_the_frames(offset_s: float, told_s: float):
    """A sound counts from the start of the frame in which it begins: the module says so, and users should know."""
    found = best_offset(*_arguments(clip(offset_s, TIMES)))
    assert found is not None
    assert found.offset_s == pytest.approx(told_s, abs=0.005)


def test_a_correlation_passes_one_only_by_what_lies_outside_the_overlap():
    """Changes at frames 0 to 5 in both, two frames apart: all of them in the 8 frames of 10 that overlap."""
    changes = np.array([1.0, -1.0] * 3 + [0.0] * 4)
    late = np.roll(changes, 2)
    assert _correlations(late, changes, 2).max() == pytest.approx(10 / 8)


def test_a_peak_lies_towards_its_higher_neighbour():
    """The vertex of -(x - 0.25) ** 2, from its values at -1, 0 and 1, and of its mirror image."""
    assert _vertex(np.array([-1.5625, -0.0625, -0.5625]), 1) == pytest.approx(0.25)
    assert _vertex(np.array([-0.5625, -0.0625, -1.5625]), 1) == pytest.approx(-0.25)
    assert _vertex(np.array([0.0, 1.0]), 1) == 0.0  # without a neighbour on one side


def test_a_shift_does_not_lower_the_correlation():
    """At a shift fewer frames overlap: the mean over those that do is compared, not their sum."""
    np.testing.assert_allclose(_correlations(np.ones(10), np.ones(10), 4), np.ones(9))


def test_one_coincidence_tells_nothing():
    found = best_offset(*_arguments(clip(0.4, [100])))
    assert found is not None
    assert not found.reliable


def test_a_regular_beat_tells_nothing():
    found = best_offset(*_arguments(clip(0.2, list(range(10, 240, 10)))))
    assert found is not None
    assert not found.reliable


def test_what_has_nothing_in_common_tells_nothing():
    reliable = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        motion, _ = clip(0.0, sorted(rng.choice(np.arange(20, 230), 6, replace=False)), seed=seed)
        _, audio = clip(0.0, sorted(rng.choice(np.arange(20, 230), 6, replace=False)), seed=seed)
        found = best_offset(motion, FPS, audio, 16000)
        reliable += found is not None and found.reliable
    assert reliable == 0


def test_silence_stills_and_short_clips_have_no_offset():
    motion, audio = clip(0.0, TIMES)
    assert best_offset(motion, FPS, np.zeros_like(audio), 16000) is None
    assert best_offset([0.0] * 250, FPS, audio, 16000) is None
    assert best_offset(motion[:60], FPS, audio[: 16000 * 2], 16000) is None
    assert best_offset([], FPS, audio[:0], 16000) is None


def _arguments(made: tuple[list[float], np.ndarray]) -> tuple[list[float], float, np.ndarray, int]:
    return made[0], FPS, made[1], 16000
