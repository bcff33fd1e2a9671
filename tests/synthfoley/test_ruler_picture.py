"""``benchmarks/ruler_picture.py``: which frames are asked for, and the area under the curve."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import ruler_picture
from foleybench.clips import Clip, Event

TIMES_S = np.arange(8) / 25


def contact(frame, **facts):
    soft = {"soft": True} if facts.pop("soft", False) else {}
    contact_s = TIMES_S[frame] + 0.004
    return Event(time_s=contact_s + 0.02, factors={"contact_s": contact_s, **soft}, **facts)


def made_of(*events):
    return Clip(
        clip_id="c",
        source_id="c",
        label="",
        split="test",
        duration_s=0.32,
        frames=None,
        frame_times_s=TIMES_S,
        audio=None,
        rate_hz=16000,
        events=events,
    )


EVENTS = (
    contact(1),
    contact(2, visible=False),
    contact(3, audible=False, soft=True),
    contact(4, audible=False),
    contact(5, audible=False, visible=False),
    Event(time_s=0.26, duration_s=0.08, kind="span", factors={"contact_s": TIMES_S[6]}),
)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("contacts", [1, 2]), ("contacts_seen", [1]), ("gentle_contacts", [3]), ("misses", [4]), ("strokes", [6, 7])],
)
def test_which_frames_are_asked_for(name, wanted):
    assert np.flatnonzero(getattr(ruler_picture, name)(made_of(*EVENTS))).tolist() == wanted


def test_ties_count_half():
    assert ruler_picture.auc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, True, False, True])) == 0.875


def test_look_alikes_are_compared_over_all_clips_and_frames_that_sound_are_no_look_alikes(capsys, monkeypatch):
    silent = (contact(0, audible=False, soft=True), contact(2, audible=False, soft=True), contact(3, audible=False))
    clips = [made_of(*EVENTS), made_of(contact(0), *silent)]
    monkeypatch.setattr(ruler_picture, "RESAMPLES", 4)
    scores = [np.array([0.0, 5, 0, 4, 6, 0, 0, 0]), np.array([3.0, 0, 4, 6, 0, 0, 0, 0])]
    ruler_picture._against_look_alikes(scores, [ruler_picture.contacts_seen(clip) for clip in clips], clips)
    gentle, miss = capsys.readouterr().out.splitlines()
    assert "against gentle contacts: AUC 0.500 [" in gentle
    assert gentle.endswith(", 2 and 2 frames")
    assert "against misses: AUC 0.000 [" in miss
