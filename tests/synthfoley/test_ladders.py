"""Ladders: what a step changes, what it leaves, and that stronger steps hold the milder ones."""

import numpy as np
import pytest

from foleybench.errors import UnknownNameError
from foleybench.synthesis.splits import CorpusOptions
from foleybench.synthfoley import compose, synthesise
from foleybench.synthfoley.ladders import LADDERS, play_changed
from foleybench.synthfoley.splits import split_specs

SPEC = split_specs("test", CorpusOptions())[0]
EVENTS = compose(SPEC).events


def changed(name, step):
    """Return the events of a step, in the places of the true ones."""
    dice = SPEC.dice.branch(f"ladder {name}")
    return [list(LADDERS[name].change(event, step, dice.branch(str(place)))) for place, event in enumerate(EVENTS)]


def test_same_step_same_bytes_and_no_step_is_another_take_of_the_truth():
    assert play_changed(SPEC, EVENTS, "pitch", 0.2).tobytes() == play_changed(SPEC, EVENTS, "pitch", 0.2).tobytes()
    take = synthesise(EVENTS, SPEC.duration_s, SPEC.rate_hz, SPEC.dice.generator("another take"))
    for name in LADDERS:
        assert play_changed(SPEC, EVENTS, name, 0.0).tobytes() == take.tobytes()


@pytest.mark.parametrize("name", [name for name, ladder in LADDERS.items() if ladder.unit.startswith("share")])
def test_a_stronger_step_holds_the_milder_one(name):
    before = 0
    for step in (0.1, 0.3, 0.6, 1.0):
        hit = [made != [event] for made, event in zip(changed(name, step), EVENTS, strict=True)]
        assert sum(hit) >= before
        before = sum(hit)
    assert all(hit)
    for mild, strong, event in zip(changed(name, 0.3), changed(name, 1.0), EVENTS, strict=True):
        assert mild in ([event], strong)


def test_late_is_exact_and_jitter_grows_in_proportion():
    for event, (late,), (once,), (twice,) in zip(
        EVENTS, changed("late", 0.04), changed("jitter", 0.01), changed("jitter", 0.02), strict=True
    ):
        assert late.time_s == pytest.approx(event.time_s + 0.04)
        assert twice.time_s - event.time_s == pytest.approx(2 * (once.time_s - event.time_s)) or twice.time_s == 0.0


def test_each_ladder_changes_what_its_name_says_and_leaves_the_rest():
    for event, made in zip(EVENTS, changed("strength", 1.0), strict=True):
        assert made[0].strength != event.strength
        assert (made[0].time_s, made[0].label, made[0].factors) == (event.time_s, event.label, event.factors)
    for event, made in zip(EVENTS, changed("pitch", 1.0), strict=True):
        semitones = 12 * np.log2(made[0].factors["base_hz"] / event.factors["base_hz"])
        assert 1.0 <= abs(semitones) <= 11.0
        assert made[0].factors["noise"] == event.factors["noise"]
    for event, made in zip(EVENTS, changed("material", 1.0), strict=True):
        assert made[0].material != event.material
        assert (made[0].time_s, made[0].strength, made[0].label) == (event.time_s, event.strength, event.label)
    for event, made in zip(EVENTS, changed("class", 1.0), strict=True):
        assert made[0].label != event.label
        assert made[0].kind == event.kind
    assert all(made == [] for made in changed("missing", 1.0))
    for event, made in zip(EVENTS, changed("added", 1.0), strict=True):
        assert made[0] == event
        assert 0.15 <= abs(made[1].time_s - event.time_s) <= 0.5


def test_silent_events_stay_silent_and_an_unknown_ladder_is_named():
    silent = [event for event in EVENTS if not event.audible]
    quiet = play_changed(SPEC, silent, "added", 1.0)
    np.testing.assert_array_equal(quiet, play_changed(SPEC, [], "added", 0.0))
    with pytest.raises(UnknownNameError, match="pich"):
        play_changed(SPEC, EVENTS, "pich", 0.1)
