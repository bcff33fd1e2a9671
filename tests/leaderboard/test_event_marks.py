"""Event marks: the same pairs that event F1 counts."""

import numpy as np
import pytest

from foleybench.clips import Clip, Event
from foleybench.leaderboard import event_marks
from foleybench.metrics._math.onset_matching import count_matches


def test_by_hand():
    found = event_marks.match_onsets(np.array([1.0, 2.0, 3.0]), np.array([1.05, 2.06, 2.99]))
    assert found.pairs == ((1.0, 1.05), (3.0, 2.99))
    assert [m.matched for m in found.wanted] == [True, False, True]
    assert [m.matched for m in found.found] == [True, False, True]


@pytest.mark.parametrize(("wanted", "found"), [([], []), ([1.0], []), ([], [1.0])])
def test_nothing_to_pair(wanted, found):
    made = event_marks.match_onsets(np.array(wanted), np.array(found))
    assert made.pairs == ()
    assert (len(made.wanted), len(made.found)) == (len(wanted), len(found))


def test_as_many_pairs_as_event_f1_counts():
    draw = np.random.default_rng(0)
    for _ in range(200):
        wanted, found = (np.sort(draw.uniform(0, 2, draw.integers(0, 15))) for _ in range(2))
        assert len(event_marks.match_onsets(wanted, found).pairs) == count_matches(
            wanted, found, event_marks.TOLERANCE_S
        )


def clip(events):
    return Clip(
        clip_id="a_000000",
        source_id="a",
        label="",
        split="test",
        duration_s=2.0,
        frames=None,
        frame_times_s=np.zeros(0),
        audio=None,
        rate_hz=16000,
        events=events,
    )


def test_only_what_can_be_heard_is_wanted():
    events = (
        Event(time_s=1.5),
        Event(time_s=0.5, visible=False),
        Event(time_s=0.7, audible=False),
        Event(time_s=0.1, kind="span"),
    )
    assert event_marks.wanted_times_s(clip(events)).tolist() == [0.5, 1.5]
    assert event_marks.wanted_times_s(clip(())).tolist() == []
    assert event_marks.wanted_times_s(clip(None)) is None
