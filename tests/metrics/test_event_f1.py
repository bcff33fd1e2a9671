import math

import numpy as np
import pytest

from foleybench.api.encoder import Signal
from foleybench.clips import Event
from foleybench.encoders.onsets import ENCODER, RATE_HZ
from foleybench.errors import FoleyError
from foleybench.metrics import event_f1, event_offset, onset_agreement
from tests.metrics.views import onsets, view

F1 = event_f1.METRIC
OFFSET = event_offset.METRIC


def scored(metric, generated, events):
    return metric.per_clip(view({"onsets": np.asarray(generated, dtype=np.float64)}, events=events))


def test_perfect_sound():
    assert F1.pool([scored(F1, [0.5, 1.0], onsets(0.5, 1.0))]) == 1.0


def test_silence_misses_everything():
    assert F1.pool([scored(F1, [], onsets(0.5, 1.0))]) == 0.0


def test_value_worked_out_by_hand():
    # 3 events, 4 sounds, 2 of them hits: 2 * 2 / (3 + 4)
    stat = scored(F1, [0.5, 1.04, 2.0, 2.5], onsets(0.5, 1.0, 3.0))
    assert F1.pool([stat]) == pytest.approx(4 / 7)
    assert F1.clip_value(stat) == pytest.approx(4 / 7)


def test_clips_count_by_their_events_not_alike():
    many = scored(F1, np.arange(8) / 2, onsets(*(np.arange(8) / 2)))
    none = scored(F1, [], onsets(1.0))
    assert F1.pool([many, none]) == pytest.approx(16 / 17)


@pytest.mark.parametrize(("late_s", "value"), [(0.049, 1.0), (0.05, 1.0), (0.051, 0.0)])
def test_boundary_of_the_headline(late_s, value):
    assert F1.pool([scored(F1, [1.0 + late_s], onsets(1.0))]) == value


def test_tolerance_curve():
    stat = scored(F1, [1.12, 2.0], onsets(1.0, 2.0))
    assert F1.curve([stat]) == {0.025: 0.5, 0.05: 0.5, 0.1: 0.5, 0.15: 1.0, 0.2: 1.0, 0.3: 1.0}
    assert all(math.isnan(value) for value in F1.curve([]).values())


@pytest.mark.parametrize(
    "events",
    [
        None,
        (),
        (Event(time_s=1.0, kind="span", duration_s=2.0),),
        onsets(1.0, audible=False),
        onsets(1.0, visible=False),
    ],
)
@pytest.mark.parametrize("metric", [F1, OFFSET])
def test_clips_without_seen_and_heard_onsets_do_not_apply(metric, events):
    assert scored(metric, [1.0], events) is None
    assert math.isnan(metric.pool([]))


def test_events_out_of_the_picture_count_neither_for_nor_against():
    events = onsets(1.0) + onsets(2.0, visible=False)
    assert F1.pool([scored(F1, [1.0, 2.0], events)]) == 1.0
    assert F1.pool([scored(F1, [1.0], events)]) == 1.0
    assert F1.pool([scored(F1, [1.0, 3.0], events)]) == pytest.approx(2 / 3)


def test_a_silent_event_must_not_sound():
    events = onsets(1.0) + onsets(2.0, audible=False)
    assert F1.pool([scored(F1, [1.0, 2.0], events)]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_times_that_are_not_finite_are_refused(bad):
    with pytest.raises(FoleyError, match="clip_000000"):
        scored(F1, [1.0, bad], onsets(1.0))


def test_offset_by_hand():
    stat = scored(OFFSET, [1.02, 1.96], onsets(1.0, 2.0))
    assert OFFSET.pool([stat]) == pytest.approx(0.03)
    assert stat["signed_s"] / stat["n_pairs"] == pytest.approx(-0.01)


def test_offset_is_over_pairs_not_clips():
    three = scored(OFFSET, [1.0, 2.0, 3.0], onsets(1.0, 2.0, 3.0))
    one = scored(OFFSET, [1.2], onsets(1.0))
    assert OFFSET.pool([three, one]) == pytest.approx(0.05)


def test_offset_without_a_pair_is_undefined():
    assert math.isnan(OFFSET.pool([scored(OFFSET, [], onsets(1.0))]))
    assert math.isnan(OFFSET.pool([scored(OFFSET, [2.0], onsets(1.0))]))


def test_offset_ignores_sounds_of_unseen_events():
    events = onsets(1.0) + onsets(1.2, visible=False)
    assert OFFSET.pool([scored(OFFSET, [1.01, 1.2], events)]) == pytest.approx(0.01)
    assert OFFSET.pool([scored(OFFSET, [1.01, 1.2], onsets(1.0))]) == pytest.approx(0.01)


def test_f1_falls_and_offset_grows_with_jitter():
    rng = np.random.default_rng(0)
    times = np.arange(200) * 0.5
    events = onsets(*times)
    f1s, offsets = [], []
    for jitter_s in (0.0, 0.02, 0.04, 0.08):
        heard = np.sort(times + jitter_s * rng.standard_normal(200))
        f1s.append(F1.pool([scored(F1, heard, events)]))
        offsets.append(OFFSET.pool([scored(OFFSET, heard, events)]))
    assert f1s == sorted(f1s, reverse=True)
    assert offsets == sorted(offsets)
    assert f1s[-1] < 0.6 < f1s[0] == 1.0


def test_agreement_compares_with_the_onsets_of_the_reference():
    metric = onset_agreement.METRIC
    stat = metric.per_clip(view({"reference": [1.0, 2.0], "generated": [1.03, 3.0]}))
    assert metric.pool([stat]) == pytest.approx(0.5)
    assert metric.per_clip(view({"reference": [], "generated": [1.0]})) is None
    silent = metric.per_clip(view({"reference": [1.0], "generated": []}))
    assert metric.pool([silent]) == 0.0


def of_sounds(reference, generated):
    """Onset agreement of two sounds at 16 kHz, through the detector."""
    made = ENCODER.build("cpu")(
        [Signal(audio=sound, duration_s=len(sound) / RATE_HZ) for sound in (reference, generated)]
    )
    layers = {name: need.layer for name, need in onset_agreement.METRIC.needs.items()}
    pair = dict(zip(("reference", "generated"), made, strict=True))
    return onset_agreement.METRIC.per_clip(view({name: pair[name][layer] for name, layer in layers.items()}))


def test_steady_sounds_do_not_agree_in_that_they_start():
    rng = np.random.default_rng(0)
    white = (0.1 * rng.standard_normal(4 * RATE_HZ)).astype(np.float32)
    brown = (0.005 * np.cumsum(white - white.mean())).astype(np.float32)
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE_HZ) / RATE_HZ)).astype(np.float32)
    for reference in (white, brown, tone):
        assert of_sounds(reference, tone) is None


def test_noise_and_a_late_truth_miss_what_the_truth_hits():
    rng = np.random.default_rng(1)
    truth = np.zeros(4 * RATE_HZ, dtype=np.float32)
    for time_s in (0.0, 0.4, 1.3, 2.9):  # the first one is where the file starts
        start = round(time_s * RATE_HZ)
        truth[start : start + 3200] += (np.exp(-np.arange(3200) / 800) * rng.standard_normal(3200)).astype(np.float32)
    late = np.concatenate([np.zeros(RATE_HZ // 10, np.float32), truth[: -(RATE_HZ // 10)]])
    noise = (0.1 * rng.standard_normal(len(truth))).astype(np.float32)
    values = [onset_agreement.METRIC.pool([of_sounds(truth, sound)]) for sound in (truth, late, noise)]
    assert values == [1.0, 0.0, 0.0]
    assert of_sounds(truth, truth)["n_reference"] == 3
