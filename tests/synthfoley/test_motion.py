"""Frames between contacts, and curves of spans."""

import numpy as np
import pytest

from foleybench.clips import Event
from foleybench.synthfoley.motion import beats, curve_at, travelled


def contacts(*pairs, next_s):
    times = [t for t, _ in pairs] + [next_s]
    return [Event(time_s=t, strength=s, factors={"next_s": times[k + 1]}) for k, (t, s) in enumerate(pairs)]


def test_beats_place_each_frame():
    now = beats(np.asarray([0.0, 1.0, 1.5, 2.0, 3.5]), contacts((1.0, 0.4), (2.0, 0.8), next_s=5.0))
    assert now.index.tolist() == [0, 1, 1, 2, 2]
    assert now.fraction.tolist() == [0.5, 0.0, 0.5, 0.0, 0.5]
    assert now.until_s.tolist() == [1.0, 1.0, 0.5, 3.0, 1.5]
    assert now.since_s[0] == np.inf
    assert now.strength_last.tolist() == [0.0, 0.4, 0.4, 0.8, 0.8]
    assert now.strength_next.tolist() == [0.4, 0.8, 0.8, 0.8, 0.8]


def test_flash_starts_at_the_contact_and_never_before():
    now = beats(np.asarray([0.999999, 1.0, 1.1]), contacts((1.0, 1.0), next_s=9.0))
    assert now.flash(0.1)[0] == 0.0
    assert now.flash(0.1)[1:] == pytest.approx([1.0, np.exp(-1.0)])


def test_a_hammer_is_down_at_each_contact_and_up_between():
    now = beats(np.asarray([1.0, 1.5, 2.0 - 1e-9, 2.0]), contacts((1.0, 1.0), (2.0, 1.0), next_s=3.0))
    assert now.lift(0.1, 0.1) == pytest.approx([0.0, 1.0, 0.0, 0.0], abs=1e-3)


def test_a_curve_is_zero_outside_its_span():
    span = Event(time_s=1.0, duration_s=0.5, kind="span", factors={"curve": [1.0, 2.0, 3.0], "curve_hz": 4.0})
    assert curve_at([span], np.asarray([0.99, 1.0, 1.125, 1.5, 1.51])).tolist() == [0.0, 1.0, 1.5, 3.0, 0.0]


def test_the_way_travelled_is_the_integral_of_the_curve():
    span = Event(time_s=1.0, duration_s=2.0, kind="span", factors={"curve": [0.0, 1.0, 0.0], "curve_hz": 1.0})
    assert travelled([span], np.asarray([0.5, 1.0, 2.0, 3.0, 4.0])) == pytest.approx([0, 0, 0.5, 1.0, 1.0], abs=1e-3)
