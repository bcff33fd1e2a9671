import math

import pytest

from foleybench.metrics import align_acc_mini, class_accuracy
from tests.metrics.views import view


@pytest.fixture(autouse=True)
def classes(monkeypatch):
    monkeypatch.setattr(class_accuracy, "mini_class_names", lambda: ("bell", "rain", "wind"))


def hit(logits, label):
    return class_accuracy.METRIC.per_clip(view({"logits": logits}, label=label))


def test_class_accuracy_by_hand():
    stats = [
        hit([3.0, 1.0, 2.0], "bell"),
        hit([1.0, 3.0, 2.0], "rain"),
        hit([1.0, 3.0, 2.0], "wind"),
        hit([1.0, 2.0, 3.0], "bell"),
    ]
    assert class_accuracy.METRIC.pool(stats) == 0.5
    assert [class_accuracy.METRIC.clip_value(stat) for stat in stats] == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("label", ["", "dog barking"])
def test_labels_that_the_classifier_does_not_know_do_not_apply(label):
    assert hit([1.0, 2.0, 3.0], label) is None
    assert math.isnan(class_accuracy.METRIC.pool([]))


def test_alignment_is_the_share_above_one_half_in_percent():
    metric = align_acc_mini.METRIC
    stats = [metric.per_clip(view({"probability": p})) for p in (0.9, 0.51, 0.5, 0.1)]
    assert metric.pool(stats) == 50.0
    assert metric.clip_value(stats[0]) == 100.0
    assert metric.clip_value(stats[2]) == 0.0
