"""Class, material and alignment metrics: small cases by hand, and scikit-learn."""

import math

import numpy as np
import pytest
from scipy.special import expit

from foleybench.clips import Event
from foleybench.encoders._nets.mini_labels import sounding_classes, sounding_materials
from foleybench.metrics import align_acc_mini, class_accuracy, class_f1, material_accuracy, material_auc
from foleybench.metrics._families import heard
from tests.metrics.views import view

CLASSES = ("bell", "rain", "wind")
MATERIALS = ("metal", "stone", "wood")


@pytest.fixture(autouse=True)
def names(monkeypatch):
    monkeypatch.setattr(heard, "mini_class_names", lambda: CLASSES)
    monkeypatch.setattr(heard, "mini_material_names", lambda: MATERIALS)


def events(*sounding, silent=(), materials=()):
    """Events of these classes (audible and not), and one audible event of each material."""
    return (
        *(Event(time_s=0.5, label=label) for label in sounding),
        *(Event(time_s=0.5, label=label, audible=False, material="stone") for label in silent),
        *(Event(time_s=1.0, label=sounding[0], material=material) for material in materials),
    )


def hit(logits, label="", **clip):
    return class_accuracy.METRIC.per_clip(view({"logits": logits}, label=label, **clip))


def test_class_accuracy_by_hand():
    stats = [
        hit([3.0, 1.0, 2.0], "bell"),
        hit([1.0, 3.0, 2.0], "rain"),
        hit([1.0, 3.0, 2.0], "wind"),
        hit([1.0, 2.0, 3.0], "bell"),
    ]
    assert class_accuracy.METRIC.pool(stats) == 0.5
    assert [class_accuracy.METRIC.clip_value(stat) for stat in stats] == [1.0, 1.0, 0.0, 0.0]


def test_any_sounding_class_is_a_hit_and_a_silent_mover_is_none():
    both = events("bell", "wind", silent=["rain"])
    assert [float(hit(logits, "bell", events=both)["hit"]) for logits in np.eye(3)] == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("label", ["", "dog barking"])
def test_labels_that_the_classifier_does_not_know_do_not_apply(label):
    assert hit([1.0, 2.0, 3.0], label) is None
    assert class_f1.METRIC.per_clip(view({"logits": [1.0, 2.0, 3.0]}, label=label)) is None
    assert math.isnan(class_accuracy.METRIC.pool([]))


def test_silence_hits_nothing_even_where_its_order_is_right():
    assert float(hit([-9.0, -10.0, -11.0], "bell")["hit"]) == 0.0
    assert float(hit([-7.0, -10.0, -11.0], "bell")["hit"]) == 1.0
    clip = view({"material_logits": [-9.0, -10.0, -11.0]}, events=events("bell", materials=["metal"]))
    assert float(material_accuracy.METRIC.per_clip(clip)["hits"]) == 0.0


def f1_stat(logits, *sounding, silent=()):
    return class_f1.METRIC.per_clip(view({"logits": logits}, events=events(*sounding, silent=silent)))


def test_class_f1_by_hand():
    stats = [
        f1_stat([2.0, -1.0, 3.0], "bell", "wind"),  # two hits
        f1_stat([2.0, math.log(0.5), -3.0], "bell", "rain"),  # a hit and a miss: one third is not above one third
        f1_stat([-0.6, -1.0, -1.0], "wind", silent=["bell"]),  # a miss and a false alarm
    ]
    assert [{k: float(v) for k, v in stat.items()} for stat in stats] == [
        {"tp": 2.0, "n_heard": 2.0, "n_sounding": 2.0},
        {"tp": 1.0, "n_heard": 1.0, "n_sounding": 2.0},
        {"tp": 0.0, "n_heard": 1.0, "n_sounding": 1.0},
    ]
    assert class_f1.METRIC.pool(stats) == pytest.approx(2 * 3 / (4 + 5))
    assert [class_f1.METRIC.clip_value(stat) for stat in stats] == pytest.approx([1.0, 2 / 3, 0.0])


@pytest.mark.slow  # importing scikit-learn takes a second
def test_class_f1_is_that_of_scikit_learn():
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    logits = rng.normal(-0.5, 2.0, (200, 3))
    sounding = rng.random((200, 3)) < 0.5
    sounding[:, 0] |= ~sounding.any(axis=1)
    stats = [
        f1_stat(row, *(name for name, there in zip(CLASSES, wanted, strict=True) if there))
        for row, wanted in zip(logits, sounding, strict=True)
    ]
    assert class_f1.METRIC.pool(stats) == pytest.approx(
        sklearn_metrics.f1_score(sounding, expit(logits) > 1 / 3, average="micro"), abs=1e-12
    )


def material_stat(logits, *materials):
    return material_accuracy.METRIC.per_clip(
        view({"material_logits": logits}, events=events("bell", materials=materials))
    )


def test_material_accuracy_by_hand():
    stats = [
        material_stat([3.0, 1.0, 2.0], "metal"),  # the first of one
        material_stat([3.0, 1.0, 2.0], "wood"),  # not the first
        material_stat([3.0, 1.0, 2.0], "stone", "wood"),  # one of the first two
        material_stat([-5.0, -7.0, -6.0], "metal", "wood"),  # both, however weak
    ]
    assert [float(stat["hits"]) for stat in stats] == [1.0, 0.0, 1.0, 2.0]
    assert material_accuracy.METRIC.pool(stats) == pytest.approx(4 / 6)


def area_stat(logits, *materials):
    return material_auc.METRIC.per_clip(view({"material_logits": logits}, events=events("bell", materials=materials)))


def test_material_auc_by_hand():
    stats = [
        area_stat([3.0, 1.0, 0.0], "metal", "stone"),
        area_stat([2.0, 1.0, 0.0], "metal"),
        area_stat([2.0, 2.0, 0.0], "stone"),
        area_stat([1.0, 0.0, 0.0], "stone"),
        area_stat([0.0, 0.5, 9.0], "wood"),
    ]
    metal = (3 + 2.5) / 6  # 3 is above three, 2 above two with one tie
    # Against 1 and .5: a tie and above, above both, below both. Wood sounds once and is left out.
    stone = (1.5 + 2 + 0) / 6
    assert material_auc.METRIC.pool(stats) == pytest.approx((metal + stone) / 2)


def test_one_guess_for_all_has_an_area_of_a_half():
    """However common a material is, and however many sound; such a guess has a material accuracy of .75 here."""
    clips = [("metal",)] * 6 + [("metal", "stone"), ("metal", "wood"), ("stone",), ("wood",)]
    accuracy = material_accuracy.METRIC.pool([material_stat([3.0, 1.0, 0.0], *names) for names in clips])
    area = material_auc.METRIC.pool([area_stat([3.0, 1.0, 0.0], *names) for names in clips])
    assert (accuracy, area) == (pytest.approx(9 / 12), 0.5)


@pytest.mark.slow  # importing scikit-learn takes a second
def test_material_auc_is_that_of_scikit_learn():
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(6)
    logits, sounding = rng.normal(0.0, 2.0, (200, 3)).round(1), rng.random((200, 3)) < 0.4
    sounding[:, 0] |= ~sounding.any(axis=1)
    stats = [
        area_stat(row, *(name for name, there in zip(MATERIALS, wanted, strict=True) if there))
        for row, wanted in zip(logits, sounding, strict=True)
    ]
    assert material_auc.METRIC.pool(stats) == pytest.approx(
        sklearn_metrics.roc_auc_score(sounding, logits, average="macro"), abs=1e-12
    )


@pytest.mark.parametrize("stat", [material_stat, area_stat])
def test_clips_without_a_known_material_do_not_apply(stat):
    assert stat([3.0, 1.0, 2.0]) is None
    assert stat([3.0, 1.0, 2.0], "cheese") is None
    assert material_accuracy.METRIC.per_clip(view({"material_logits": [3.0, 1.0, 2.0]}, label="bell")) is None


def test_what_sounds_are_audible_events_on_screen_or_off():
    heard_events = (
        Event(time_s=0.1, label="bell", material="metal", visible=False),
        Event(time_s=0.2, label="rain", material="stone", audible=False),
        Event(time_s=0.3, label="bell", material="wood"),
    )
    assert sounding_classes(heard_events, "wind") == {"bell"}
    assert sounding_materials(heard_events) == {"metal", "wood"}
    assert sounding_classes((Event(time_s=0.1, label="bell", audible=False),), "wind") == frozenset()
    assert sounding_classes((Event(time_s=0.1),), "wind") == {"wind"}
    assert sounding_classes(None, "") == sounding_materials(None) == frozenset()


def test_alignment_is_the_share_above_one_half_in_percent():
    metric = align_acc_mini.METRIC
    stats = [metric.per_clip(view({"probability": p})) for p in (0.9, 0.51, 0.5, 0.1)]
    assert metric.pool(stats) == 50.0
    assert metric.clip_value(stats[0]) == 100.0
    assert metric.clip_value(stats[2]) == 0.0
