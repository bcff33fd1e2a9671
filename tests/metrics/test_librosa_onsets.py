"""Onset scores: the peers' numbers on the cases that were run with their own scripts, and ours where they are wrong."""

import numpy as np
import pytest

from foleybench.metrics import (
    onset_accuracy,
    onset_accuracy_condfoley,
    onset_ap,
    onset_ap_condfoley,
    onset_ap_mmaudio,
    onset_count_accuracy,
    onset_f1,
    onset_f1_mmaudio,
)
from foleybench.metrics._families.librosa_onsets import ranked_precision
from foleybench.metrics._math.peer_onsets import CONDFOLEY, Onsets, average_precision, score
from tests.metrics.views import onsets, view


def heard(reference, generated, strength=None):
    strength = np.linspace(1.0, 0.5, len(generated)) if strength is None else np.asarray(strength)
    features = {"reference": np.asarray(reference, dtype=float), "generated": np.asarray(generated, dtype=float)}
    return view(features | dict.fromkeys(("level", "peak", "wave", "wave_peak"), strength))


def of(metric, clip):
    stat = metric.METRIC.per_clip(clip)
    return None if stat is None else float(stat["value"])


@pytest.mark.parametrize(
    ("reference", "generated", "accuracy", "ap"),
    [
        ([0.5, 1.0, 1.5], [0.5, 1.0, 1.5], 1.0, 1.0),
        ([0.5, 1.0, 1.5], [0.52, 1.3, 1.5], 0.6667, 0.8056),
        ([0.5, 1.0, 1.5], [0.75, 1.25, 1.75], 0.0, 0.5),
        ([0.5, 1.0, 1.5], [], 0.0, 1.0),
        ([0.2, 0.5, 0.8, 1.1, 1.4], [0.5], 0.2, 1.0),
    ],
)
def test_numbers_of_condfoleygens_own_script(reference, generated, accuracy, ap):
    clip = heard(reference, generated, [1.0, 0.8, 0.6][: len(generated)])
    assert of(onset_accuracy_condfoley, clip) == pytest.approx(accuracy, abs=5e-5)
    assert of(onset_ap_condfoley, clip) == pytest.approx(ap, abs=5e-5)


def test_silence_scores_nothing_with_us():
    clip = heard([0.5, 1.0], [])
    assert [of(metric, clip) for metric in (onset_accuracy, onset_ap, onset_f1, onset_count_accuracy)] == [0, 0, 0, 0]


def test_one_right_onset_of_five():
    clip = heard([0.2, 0.5, 0.8, 1.1, 1.4], [0.5])
    assert of(onset_accuracy, clip) == pytest.approx(0.2)
    assert of(onset_ap, clip) == pytest.approx(0.2)
    assert of(onset_f1, clip) == pytest.approx(2 / 6)


@pytest.mark.parametrize("generated", [[], [0.5]])
def test_a_reference_without_onsets_does_not_apply(generated):
    clip = heard([], generated)
    for metric in (onset_accuracy, onset_ap, onset_f1, onset_accuracy_condfoley, onset_ap_condfoley):
        assert of(metric, clip) is None
    assert of(onset_count_accuracy, clip) == float(not generated)


def test_onsets_at_the_very_start_count():
    clip = heard([0.0, 1.0], [0.02, 1.0])
    assert of(onset_accuracy, clip) == of(onset_accuracy_condfoley, clip) == 1.0


def test_exactly_at_the_tolerance():
    clip = heard([1.0], [1.1])
    assert of(onset_accuracy, clip) == 1.0  # ours: at the tolerance is a hit, as in mir_eval
    assert of(onset_accuracy_condfoley, clip) == 0.0  # the script: closer than it


def test_extra_onsets_cost_f1_and_ap_only():
    clip = heard([1.0], [0.2, 0.6, 1.0, 1.4], [0.9, 0.8, 0.7, 0.6])
    assert of(onset_accuracy, clip) == 1.0
    assert of(onset_f1, clip) == pytest.approx(2 / 5)
    assert of(onset_ap, clip) == pytest.approx(1 / 3)


def test_ranked_precision_by_hand():
    reference, generated = np.array([1.0, 2.0]), np.array([1.0, 1.05, 2.5])
    assert ranked_precision(reference, generated, np.array([0.5, 0.9, 0.1])) == pytest.approx(0.5)
    assert ranked_precision(reference, generated[:0], generated[:0]) == 0.0


@pytest.mark.parametrize(
    ("labels", "ranks", "wanted"),
    [
        ([1, 0, 1], [0.5, 0.5, 0.2], 0.25 + 1 / 3),  # ties share a threshold: precision 1/2 at recall 1/2, then 2/3
        ([0, 1], [0.9, 0.1], 0.5),
        ([1, 1, 0], [0.9, 0.0, 0.0], 0.5 + 0.5 * 2 / 3),
        ([0, 0, 1, 1], [0.9, 0.8, 0.7, 0.6], 0.5 * (1 / 3 + 2 / 4)),
    ],
)
def test_average_precision_by_hand(labels, ranks, wanted):
    assert average_precision(labels, ranks) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.slow  # importing scikit-learn takes a second
def test_average_precision_is_that_of_scikit_learn():
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for _ in range(50):
        labels = rng.integers(0, 2, 12)
        labels[0] = 1
        ranks = rng.integers(0, 6, 12) / 5
        wanted = sklearn_metrics.average_precision_score(labels, ranks)
        assert average_precision(labels.tolist(), ranks.tolist()) == pytest.approx(wanted, abs=1e-12)


def test_thinning_skips_the_neighbour_of_a_removed_one_as_the_scripts_do():
    """Three onsets within 50 ms: the weakest of them survives, because the list is shortened while it is walked."""
    samples = np.array([1000.0, 1200.0, 1400.0])
    crowded = Onsets(samples, np.array([0.9, 0.5, 0.4]), np.array([0.9, 0.5, 0.4]))
    assert score(np.array([1000.0, 1400.0]), crowded, CONDFOLEY).accuracy == 1.0


def mmaudio_clip(times, generated, strength):
    features = {"generated": np.asarray(generated), "wave": np.asarray(strength), "wave_peak": np.asarray(strength)}
    return view(features, events=onsets(*times), duration_s=10.0)


def test_mmaudio_matches_within_300_ms_and_hears_8_s():
    clip = mmaudio_clip([1.0, 9.0], [1.29, 4.0], [0.8, 0.6])
    assert of(onset_f1_mmaudio, clip) == pytest.approx(2 / 3)
    assert of(onset_ap_mmaudio, mmaudio_clip([1.0], [], [])) == 1.0
    assert of(onset_f1_mmaudio, view({"generated": [], "wave": [], "wave_peak": []}, events=None)) is None
