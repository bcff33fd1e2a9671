"""AV-Align by hand."""

import numpy as np
import pytest

from foleybench.metrics import av_align
from tests.metrics.views import view

METRIC = av_align.METRIC


def stat(onsets_s, peaks_s, frame_s=0.04):
    return METRIC.per_clip(view({"onsets": np.array(onsets_s), "peaks": np.array(peaks_s), "frame_s": frame_s}))


def value(*clips):
    return METRIC.pool([found for found in (stat(*clip) for clip in clips) if found is not None])


def by_the_loops_of_the_script(onsets_s, peaks_s, frame_s):
    met, used = 0, set()
    for onset in onsets_s:
        for place, peak in enumerate(peaks_s):
            if place not in used and peak - frame_s < onset < peak + frame_s:
                met += 1
                used.add(place)
                break
    return met / (len(onsets_s) + len(peaks_s) - met)


def test_by_hand():
    # 1.0 and 2.03 are met, 3.05 is not (50 ms), the peak at 3.5 meets nothing: 2 / (3 + 4 - 2).
    assert value(([1.0, 2.03, 3.05], [1.0, 2.0, 3.0, 3.5])) == pytest.approx(2 / 5)
    assert value(([1.0], [1.0])) == 1.0


def test_a_whole_frame_away_is_a_miss():
    assert value(([1.25], [1.0], 0.25)) == 0.0
    assert value(([0.75], [1.0], 0.25)) == 0.0
    assert value(([1.2421875], [1.0], 0.25)) == 1.0
    assert value(([0.7578125], [1.0], 0.25)) == 1.0


def test_a_peak_is_used_up_by_the_first_onset():
    assert value(([0.97, 1.0, 1.02], [1.0])) == pytest.approx(1 / 3)
    assert value(([0.97, 1.0, 1.02], [1.0, 1.01])) == pytest.approx(2 / 3)
    assert METRIC.range == (0.0, 1.0)


def test_an_onset_takes_the_first_free_peak_and_not_the_nearest():
    """1.0 takes 0.875, so that the peak at 1.0 is left for 1.1875."""
    assert value(([1.0, 1.1875], [0.875, 1.0], 0.25)) == 1.0
    assert value(([1.1875, 1.0], [1.0, 0.875], 0.25)) == 1.0  # in order of time, however they come


def test_silence_scores_zero_and_still_video_does_not_apply():
    assert value(([], [1.0, 2.0])) == 0.0
    assert stat([1.0], []) is None
    assert stat([], []) is None


def test_the_value_of_a_set_is_the_mean_over_clips():
    assert value(([1.0], [1.0]), ([], [1.0]), ([1.0], [])) == 0.5


def test_against_plain_loops():
    rng = np.random.default_rng(0)
    for _ in range(50):
        onsets, peaks = (np.sort(rng.uniform(0, 4, rng.integers(1, 40))) for _ in range(2))
        frame_s = rng.uniform(0.02, 0.1)
        wanted = by_the_loops_of_the_script(onsets, peaks, frame_s)
        assert value((onsets, peaks, frame_s)) == pytest.approx(wanted, abs=1e-12)
