"""Metrics of exact events: values worked out by hand, and ladders of known quality on SynthFoley 2."""

import functools
import math

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.clips import Event
from foleybench.metrics import event_f1_25ms, event_offset, pitch_error, source_recall, strength_correlation
from foleybench.metrics._math.correlation import WithinClipCorrelation, products
from foleybench.metrics._math.spectral_shift import shift_semitones
from foleybench.stats.intervals import value_interval
from foleybench.synthesis.splits import CorpusOptions
from foleybench.synthfoley.compose import compose
from foleybench.synthfoley.ladders import LADDERS, play_changed, transposed
from foleybench.synthfoley.play import synthesise
from foleybench.synthfoley.splits import split_specs
from tests.metrics.views import view

F1, RECALL = event_f1_25ms.METRIC, source_recall.METRIC
STRENGTH, PITCH = strength_correlation.METRIC, pitch_error.METRIC


def hits(*times_s, **facts):
    return tuple(Event(time_s=time_s, **facts) for time_s in times_s)


def test_a_pair_at_26_ms_is_a_miss():
    near = F1.per_clip(view({"onsets": np.array([1.025])}, events=hits(1.0)))
    far = F1.per_clip(view({"onsets": np.array([1.026])}, events=hits(1.0)))
    assert (F1.pool([near]), F1.pool([far])) == (1.0, 0.0)


def test_sources_count_alike_however_busy():
    events = hits(0.5, 1.0, 1.5, 2.0, source="a") + hits(3.0, source="b") + hits(3.5, source="c")
    stat = RECALL.per_clip(view({"onsets": np.array([0.5, 1.0, 1.5, 2.0])}, events=events))
    assert RECALL.pool([stat]) == pytest.approx(1 / 3)
    half = RECALL.per_clip(view({"onsets": np.array([0.5, 1.0, 3.02])}, events=events))
    assert RECALL.pool([half]) == pytest.approx((0.5 + 1.0 + 0.0) / 3)


def test_what_is_not_seen_or_not_heard_is_no_source():
    events = hits(1.0, source="a") + hits(2.0, source="b", visible=False) + hits(3.0, source="c", audible=False)
    assert RECALL.pool([RECALL.per_clip(view({"onsets": np.array([1.0])}, events=events))]) == 1.0
    assert RECALL.per_clip(view({"onsets": np.array([1.0])}, events=hits(1.0, visible=False))) is None


def test_dense_clicks_win_what_is_shown_without_ranks():
    """A click every 50 ms: all is recalled and near, and event F1 is low."""
    audio = np.zeros(64000, dtype=np.float32)
    audio[(np.arange(0.025, 4, 0.05) * 16000).astype(int)] = 0.5
    (found,) = registry.load("encoders", "onsets").build("cpu")([Signal(audio=audio, duration_s=4.0)])
    views = [
        view({"onsets": found["times_s"]}, events=tuple(compose(spec).events))
        for spec in split_specs("test", CorpusOptions())[:27]
    ]
    metrics = (RECALL, event_offset.METRIC, F1)
    recall, offset_s, f1 = (m.pool([s for clip in views if (s := m.per_clip(clip)) is not None]) for m in metrics)
    assert recall == 1.0
    assert offset_s < 0.015
    assert f1 < 0.2
    assert all(metric.unranked for metric in (RECALL, event_offset.METRIC))
    assert not F1.unranked


def levels(*peaks, n=800, floor=-80.0):
    """Peak levels every 5 ms: ``floor`` but at the given (seconds, dB)."""
    made = np.full(n, floor)
    for time_s, level in peaks:
        made[round(time_s / 0.005)] = level
    return made


def struck(*pairs):
    return tuple(Event(time_s=time_s, strength=strength) for time_s, strength in pairs)


def strength_of(peaks, events):
    stat = STRENGTH.per_clip(view({"levels": levels(*peaks)}, events=events))
    return None if stat is None else STRENGTH.pool([stat])


def test_louder_where_harder_is_one_whatever_the_gain():
    events = struck((0.5, 0.25), (1.0, 0.5), (2.0, 1.0))
    peaks = [(e.time_s, 20 * math.log10(e.strength) - 17.0) for e in events]
    assert strength_of(peaks, events) == pytest.approx(1.0)
    assert strength_of([(t, -level - 40) for t, level in peaks], events) == pytest.approx(-1.0)
    assert strength_of([], events) == 0.0


def test_a_peak_counts_from_5_ms_before_to_30_ms_after():
    events = struck((0.5, 0.25), (1.0, 0.5), (2.0, 1.0))
    for shift_s, found in ((-0.010, 0.0), (-0.005, 1.0), (0.025, 1.0), (0.035, 0.0)):
        peaks = [(e.time_s + shift_s, 20 * math.log10(e.strength)) for e in events]
        assert strength_of(peaks, events) == pytest.approx(found), shift_s


@pytest.mark.parametrize(
    "events",
    [None, struck((0.5, 0.2), (1.0, 0.4)), struck((0.5, 0.3), (1.0, 0.3), (2.0, 0.3))],
    ids=["none", "two", "alike"],
)
def test_few_or_equal_strengths_do_not_apply(events):
    assert strength_of([], events) is None


def test_clips_are_centred_each_on_its_own():
    """Two clips at other levels and other strengths: only the differences inside count."""
    rng = np.random.default_rng(0)
    series = [(rng.normal(10 * k, 1, 6), rng.normal(-30 * k, 1, 6)) for k in range(4)]
    stats = [products(*pair) for pair in series]
    centred = np.concatenate([[x - x.mean(), y - y.mean()] for x, y in series], axis=1)
    assert WithinClipCorrelation()(stats) == pytest.approx(np.corrcoef(centred)[0, 1], abs=1e-12)


def test_influence_is_the_derivative():
    rng = np.random.default_rng(1)
    stats = [products(rng.normal(size=5), rng.normal(size=5)) for _ in range(9)]
    pool, step = WithinClipCorrelation(), 1e-6
    for place, found in enumerate(pool.influence(stats).change):
        more = {name: value * (1 + step) for name, value in stats[place].items()}
        moved = (pool([*stats[:place], more, *stats[place + 1 :]]) - pool(stats)) / step
        assert moved == pytest.approx(found, abs=1e-5)


@pytest.mark.slow
def test_intervals_hold_the_true_correlation():
    """300 sets of 40 clips of three to eight events with a correlation of .6 within clips."""
    rng = np.random.default_rng(5)
    held = 0
    for number in range(300):
        stats = {}
        for clip in range(40):
            given = rng.normal(size=rng.integers(3, 9))
            stats[f"v{clip}_000000"] = products(given, 0.6 * given + 0.8 * rng.normal(size=len(given)))
        sources = {clip_id: clip_id.partition("_")[0] for clip_id in stats}
        low, high = value_interval(WithinClipCorrelation(), stats, sources, rng=np.random.default_rng(number))
        held += low <= 0.6 <= high
    # 95 % of 300 are 285; four standard errors are 15.
    assert 270 <= held <= 299


def tones(*hz):
    return np.array([[one, -10.0 - 3 * place] for place, one in enumerate(hz)] + [[0.0, -120.0]])


@pytest.mark.parametrize("semitones", [0.0, 0.1, 1.0, -2.5, 7.0, 12.0, -12.0])
def test_a_shift_is_found(semitones):
    moved = tones(*(np.array([300.0, 720.0, 1353.0]) * 2 ** (semitones / 12)))
    assert shift_semitones(tones(300.0, 720.0, 1353.0), moved) == pytest.approx(semitones)


def test_the_smaller_of_two_shifts_that_fit_alike():
    both = np.array([[440.0 * 2 ** (semitones / 12), -10.0] for semitones in (-1, 2)])
    assert shift_semitones(tones(440.0), both) == pytest.approx(-1.0)


def test_nothing_fits():
    assert shift_semitones(tones(), tones(440.0)) is None
    assert shift_semitones(tones(440.0), tones()) is None
    assert shift_semitones(tones(100.0), tones(3000.0)) is None


def test_pitch_is_read_just_after_an_onset_and_in_the_middle_of_a_span():
    reference = np.tile(tones(440.0), (400, 1, 1))
    generated = np.tile(tones(440.0 * 2 ** (5 / 12)), (400, 1, 1))
    onset, span = Event(time_s=1.001, pitch_hz=440.0), Event(time_s=2.0, duration_s=1.0, kind="span", pitch_hz=440.0)
    generated[101] = tones(440.0 * 2 ** (1 / 12))
    generated[round((2.5 - 0.064) * 100)] = tones(440.0 * 2 ** (-3 / 12))
    features = {"reference": reference, "generated": generated}
    assert PITCH.pool([PITCH.per_clip(view(features, events=(onset,)))]) == pytest.approx(1.0)
    assert PITCH.pool([PITCH.per_clip(view(features, events=(onset, span)))]) == pytest.approx(2.0)


def test_no_sound_is_an_octave_off_and_no_pitch_does_not_apply():
    features = {"reference": np.tile(tones(440.0), (400, 1, 1)), "generated": np.zeros((400, 2, 2))}
    assert PITCH.pool([PITCH.per_clip(view(features, events=(Event(time_s=1.0, pitch_hz=440.0),)))]) == 12.0
    for event in (Event(time_s=1.0), Event(time_s=1.0, pitch_hz=440.0, visible=False)):
        assert PITCH.per_clip(view(features, events=(event,))) is None


@pytest.fixture(scope="module")
def played():
    """A clip of every class of SynthFoley 2, without video."""
    return Played(27)


class Played:
    """Clips and their sound made again from changed events."""

    def __init__(self, n):
        self.specs = split_specs("test", CorpusOptions())[:n]
        self.events = [compose(spec).events for spec in self.specs]
        self.truth = [
            synthesise(events, spec.duration_s, spec.rate_hz, spec.dice.generator("timbre"))
            for spec, events in zip(self.specs, self.events, strict=True)
        ]

    def score(self, metric, ladder="jitter", step=0.0):
        """Return the metric's value of one step of a ladder; another take of the true events at 0."""
        return self.of(metric, self.changed(ladder, step) if step else self.another_take)

    @functools.cache  # noqa: B019
    def changed(self, ladder, step):
        """Return what plays a step of a ladder: the same function for the same step."""
        return lambda spec, events: play_changed(spec, events, ladder, step)

    def another_take(self, spec, events):
        """Play the true events again: all ladders begin so."""
        return play_changed(spec, events, "jitter", 0.0)

    def of(self, metric, play):
        """Return the metric's value of the sound that ``play`` makes of (spec, events)."""
        stats = []
        for place, (spec, events) in enumerate(zip(self.specs, self.events, strict=True)):
            features = {
                name: self.features(place, need.encoder, None if need.of == "reference" else play)[need.layer]
                for name, need in metric.needs.items()
            }
            stats.append(metric.per_clip(view(features, events=events, clip_id=spec.clip_id)))
        return metric.pool([stat for stat in stats if stat is not None])

    @functools.cache  # noqa: B019
    def features(self, place, encoder, play):
        """Return what an encoder hears in a clip as ``play`` makes it; in its true sound without one."""
        return encoded(encoder, self.sound(place, play) if play else self.truth[place])

    @functools.cache  # noqa: B019
    def sound(self, place, play):
        return play(self.specs[place], self.events[place])


def encoded(encoder, audio):
    (features,) = registry.load("encoders", encoder).build("cpu")([Signal(audio=audio, duration_s=4.0)])
    return features


OWN = [
    *((F1, name) for name in ("jitter", "missing", "added")),
    # F1 counts what lies within its tolerance alike, so a delay is the offset's to tell.
    *((event_offset.METRIC, "late"), (RECALL, "missing"), (STRENGTH, "strength"), (PITCH, "pitch")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("metric", "name"), OWN)
def test_a_ladder_of_known_quality_comes_in_order(played, metric, name):
    """Of every two steps, so that 27 clips are enough."""
    steps = (0.0, *LADDERS[name].steps[1::2])
    values = [played.score(metric, name, step) for step in steps]
    assert values == sorted(values, reverse=metric.better == "higher"), values
    assert len(set(values)) == len(values), values


@pytest.mark.slow
def test_another_take_of_the_truth_is_close_to_perfect(played):
    assert played.score(F1) > 0.9
    assert played.score(RECALL) > 0.9
    assert played.score(STRENGTH) > 0.75
    assert played.score(PITCH) < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("semitones", [1.0, 3.0])
def test_the_pitch_error_of_a_known_shift_is_that_shift(played, semitones):
    def play(spec, events):
        higher = [transposed(event, semitones) for event in events]
        return synthesise(higher, spec.duration_s, spec.rate_hz, spec.dice.generator("another take"))

    assert played.of(PITCH, play) == pytest.approx(semitones, abs=0.35)


@pytest.mark.slow
def test_a_sound_without_events_is_worse_than_any_ladder(played):
    def floor(spec, events):
        return synthesise([], spec.duration_s, spec.rate_hz, spec.dice.generator("another take"))

    assert played.of(F1, floor) < 0.1
    assert abs(played.of(STRENGTH, floor)) < 0.2
    assert played.of(PITCH, floor) > 5.0
