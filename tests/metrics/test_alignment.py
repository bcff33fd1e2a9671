import math

import numpy as np
import pytest

from foleybench.metrics import align_acc, align_acc_parity, desync, desync_expected, desync_within
from tests.metrics.views import view


@pytest.mark.parametrize("metric", [align_acc.METRIC, align_acc_parity.METRIC])
def test_align_acc_is_the_share_above_one_half_in_percent(metric):
    """0.5 itself is not aligned: ``torch.round`` goes to the even number."""
    above = np.nextafter(np.float32(0.5), np.float32(1))
    stats = [metric.per_clip(view({"probability": np.float32([p])})) for p in (0.9, above, 0.5, 0.1)]
    assert [float(stat["aligned"]) for stat in stats] == [1.0, 1.0, 0.0, 0.0]
    assert metric.pool(stats) == 50.0
    assert metric.clip_value(stats[0]) == 100.0


def test_both_need_the_classifier_and_not_the_same_layer():
    needs = [metric.METRIC.needs["probability"] for metric in (align_acc, align_acc_parity)]
    assert {need.encoder for need in needs} == {"diff_foley_align"}
    assert [need.layer for need in needs] == ["probability", "probability_sampled"]


def windows(*classes, height=50.0):
    logits = np.zeros((len(classes), 21))
    for row, number in enumerate(classes):
        logits[row, number] = height
    return view({"windows": logits})


def pooled(metric, *clips):
    return metric.pool([metric.per_clip(clip) for clip in clips])


def test_desync_is_the_mean_size_over_windows():
    """Classes 10, 11, 0 are 0, 0.2 and -2 s; every window weighs the same."""
    clips = windows(10, 11), windows(0, 9)
    assert pooled(desync.METRIC, *clips) == pytest.approx((0 + 0.2 + 2.0 + 0.2) / 4, abs=1e-12)
    stat = desync.METRIC.per_clip(clips[1])
    assert float(stat["signed_mean"]) == pytest.approx(-1.1, abs=1e-12)
    assert desync.METRIC.clip_value(stat) == pytest.approx(1.1, abs=1e-12)


def test_ties_go_to_the_first_class_as_argmax_does():
    assert pooled(desync.METRIC, windows(10, height=0.0)) == 2.0


def test_within_counts_one_class_to_either_side():
    assert pooled(desync_within.METRIC, windows(9, 10), windows(11, 12), windows(8, 0)) == pytest.approx(50.0)
    blind = 100 * 3 / 21
    assert f"{blind:.0f} %" in desync_within.__doc__


def test_expected_size_is_that_of_the_softmax():
    """Equal logits expect the mean of |-2|, |-1.8| ... |2|; one class alone expects its own size."""
    assert pooled(desync_expected.METRIC, windows(10, height=0.0)) == pytest.approx(2 * 11.0 / 21, abs=1e-12)
    assert f"{2 * 11.0 / 21:.2f} s" in desync_expected.__doc__
    assert pooled(desync_expected.METRIC, windows(14)) == pytest.approx(0.8, abs=1e-9)
    two = view({"windows": np.where(np.isin(np.arange(21), (5, 10)), 1000.0, -1000.0)[None]})
    assert pooled(desync_expected.METRIC, two) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("metric", [desync.METRIC, desync_expected.METRIC, desync_within.METRIC])
def test_clips_too_short_do_not_apply(metric):
    assert metric.per_clip(view({"windows": np.zeros((0, 21))})) is None
    assert math.isnan(metric.pool([]))


def test_clips_too_short_for_the_classifier_do_not_apply():
    assert align_acc.METRIC.per_clip(view({"probability": np.zeros(0, dtype=np.float32)})) is None
