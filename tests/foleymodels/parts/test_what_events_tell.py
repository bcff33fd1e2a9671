"""``benchmarks/what_events_tell.py``: its measures by hand, and a reading that finds what is there."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest

from benchmarks import what_events_tell
from benchmarks.what_events_tell import (
    Events,
    around,
    collect,
    correlation,
    error_sums,
    lines,
    mean,
    strength_sums,
)
from foleybench.clips import Event


def made(clip, strength_db, pitch, features=None):
    n = len(clip)
    return Events(
        clip=np.array(clip),
        features=np.zeros((n, 2)) if features is None else features,
        strength_db=np.array(strength_db, dtype=float),
        pitch=np.array(pitch, dtype=float),
    )


def test_an_event_has_the_tokens_around_it_and_the_mean_and_ends_are_repeated():
    features = np.arange(4.0)[:, None]
    assert around(features, 0).tolist() == [0, 0, 0, 1, 2, 1.5]
    assert around(features, 3).tolist() == [1, 2, 3, 3, 3, 1.5]


def test_strength_is_compared_within_clips_of_three_events():
    events = made([0, 0, 0, 1, 1, 1, 2, 2], [0, 1, 2, 10, 12, 14, 5, 0], [0] * 8)
    sums = strength_sums(np.array([7.0, 8.0, 9.0, 3.0, 2.0, 1.0, 0.0, 50.0]), events)
    assert sums.tolist() == [[2, 2, 2], [8, 2, -4]], "clip 2 has two events and does not count"
    np.testing.assert_allclose(correlation(sums), [1, -1])
    assert correlation(sums.sum(0)) == pytest.approx(-2 / np.sqrt(10 * 4))


def test_pitch_counts_events_that_have_one():
    events = made([0, 0, 1, 1], [0, 0, 0, 0], [1.0, np.nan, 5.0, 4.0])
    sums = error_sums(np.array([3.0, 0.0, 5.0, 0.0]), events)
    assert sums.tolist() == [[2, 1], [4, 2]]
    assert mean(sums.sum(0)) == 2.0


def test_what_is_in_the_features_is_read_and_the_interval_holds_it():
    rng = np.random.default_rng(0)
    clip = np.repeat(np.arange(60), 5)
    strength, pitch = rng.normal(0, 6, 300), rng.normal(20, 8, 300)
    pitch[::3] = np.nan
    features = np.stack([strength + rng.normal(0, 3, 300), np.nan_to_num(pitch, nan=20.0)], axis=1)
    events = made(clip, strength, pitch, features)
    found = list(lines(events, events))
    assert [line.split("] ")[1] for line in found] == ["(300 events)", "(200 events)", "(200 events)"]
    told = [[float(word.strip("[],")) for word in line.split(" (")[-2].split()[-3:]] for line in found]
    strength_r, of_pitch, of_one = told
    assert strength_r[0] == pytest.approx(np.corrcoef(strength, features[:, 0])[0, 1], abs=0.06)
    assert of_pitch[0] < 0.6 * of_one[0]
    assert of_one[0] == pytest.approx(np.nanmean(np.abs(pitch - np.nanmedian(pitch))), abs=0.01)
    assert all(low < value < high for value, low, high in told)


class OneClip:
    """A data set of one clip with some events."""

    def __init__(self, *events):
        self.events = events

    def load(self, clip_id, **asked):
        return self


def test_onsets_that_are_seen_and_heard_are_taken_at_the_token_of_their_time(monkeypatch):
    plain = Event(time_s=0.5, label="bar", visible=True, audible=True, strength=0.1, pitch_hz=880.0)
    change = functools.partial(dataclasses.replace, plain)
    events = (
        plain, change(time_s=0.75, pitch_hz=None, strength=1.0),
        change(visible=False), change(audible=False), change(strength=0.0), change(kind="span"),
    )  # fmt: skip
    monkeypatch.setattr(what_events_tell, "ShardDataset", lambda manifest: OneClip(*events))
    found = collect(Path("manifest"), ["one"], [np.arange(100.0)[:, None]], 50.0)
    assert found.clip.tolist() == [0, 0]
    assert found.features[:, 2].tolist() == [25, 37]
    np.testing.assert_allclose(found.strength_db, [-20, 0])
    np.testing.assert_allclose(found.pitch, [12, np.nan])
