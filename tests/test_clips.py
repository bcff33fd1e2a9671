"""Seconds, samples, frames and tokens."""

from __future__ import annotations

import numpy as np
import pytest

from foleybench.clips import Clip, Clock, Event


@pytest.mark.parametrize(
    ("duration_s", "rate_hz", "samples"), [(10.0, 16000, 160000), (4.004, 16000, 64064), (0.1, 44100, 4410)]
)
def test_samples_are_rounded_not_cut(duration_s, rate_hz, samples):
    assert Clock(duration_s).samples(rate_hz) == samples


@pytest.mark.parametrize(("duration_s", "tokens"), [(4.0, 125), (4.01, 126), (0.001, 1)])
def test_tokens_cover_the_whole_clip(duration_s, tokens):
    assert Clock(duration_s).tokens(31.25) == tokens


def test_frame_on_screen_with_variable_frame_rate():
    times = np.array([0.0, 0.1, 0.9, 1.0])
    assert Clock.nearest(times, np.array([0.0, 0.0999, 0.1, 0.5, 0.95, 5.0])).tolist() == [0, 0, 1, 1, 2, 3]


def test_frame_before_the_first_timestamp_is_the_first():
    assert Clock.nearest(np.array([0.5, 1.0]), np.array([0.0])).tolist() == [0]


def test_onset_times_leave_out_silent_and_long_events():
    events = (
        Event(time_s=2.0),
        Event(time_s=1.0),
        Event(time_s=0.5, audible=False),
        Event(time_s=0.1, kind="span", duration_s=3.0),
    )
    clip = Clip(
        clip_id="a_000000",
        source_id="a",
        label="",
        split="test",
        duration_s=4.0,
        frames=None,
        frame_times_s=np.zeros(0),
        audio=None,
        rate_hz=16000,
        events=events,
    )
    assert clip.onset_times_s().tolist() == [1.0, 2.0]
    assert clip.onset_times_s(audible=False).tolist() == [0.5, 1.0, 2.0]


def test_event_survives_json():
    event = Event(time_s=1.5, label="hammer_bell", factors={"material": "metal"})
    assert Event.from_json(event.as_json()) == event


def test_what_not_every_corpus_knows_of_an_event_is_written_only_when_known():
    plain = Event(time_s=1.5, label="hammer_bell").as_json()
    assert not {"source", "material", "pitch_hz"} & set(plain)
    assert Event.from_json(plain) == Event(time_s=1.5, label="hammer_bell", source="", material="", pitch_hz=None)
    known = Event(time_s=1.5, label="hammer_bell", source="a", material="metal", pitch_hz=440.0)
    assert Event.from_json(known.as_json()) == known
    assert known.as_json()["pitch_hz"] == 440.0
