"""Rows timed beside each other: in turn, and never a mixture of two machines."""

import dataclasses
import types

import numpy as np
import pytest

from foleybench.reproduce import timing
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import Setup, training_name
from foleybench.reproduce.timing import ROUNDS, read_times, time_rows

GRID = GRIDS["table1"]
RANKED = [row for row in GRID.rows if not row.unranked]


@pytest.fixture
def setup(tmp_path):
    return Setup(work=tmp_path / "work", results=tmp_path / "results")


def trained(setup, *rows):
    for row in rows:
        run = setup.work / "runs" / training_name(setup, row.variant, 0)
        run.mkdir(parents=True, exist_ok=True)
        (run / "config.json").write_text("{}")


@pytest.fixture
def made(monkeypatch):
    """What was made, in order, by systems that take 1, 2, 3, ... seconds of a clock of ours; later rounds longer."""
    calls, clock = [], [0.0]

    def build(settings, data):
        def generate(clips, rng):
            calls.append((settings.model, settings.guidance))
            clock[0] += (1 + list(dict.fromkeys(calls)).index(calls[-1])) * (1 + len(calls) // 2)

        return None, types.SimpleNamespace(generate=generate)

    clip = types.SimpleNamespace(clip_id="a", duration_s=4.0)
    data = types.SimpleNamespace(clip_ids=["a"], load=lambda clip_id, video=True: clip)
    monkeypatch.setattr(timing, "build_generator", build)
    monkeypatch.setattr(timing, "ShardDataset", lambda manifest: data)
    monkeypatch.setattr(timing, "visible_part", lambda clip, model: clip)
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])
    return calls


def test_every_row_makes_the_clip_in_turn_in_each_round(setup, made, tmp_path):
    trained(setup, *RANKED[:2])
    time_rows(setup, GRID, tmp_path / "speed.csv")
    assert made == [("foleyflow", None), ("specvqgan", None)] * (ROUNDS + 1)
    times = read_times(tmp_path / "speed.csv")
    assert list(times) == [RANKED[0].label, RANKED[1].label]
    first, second = times.values()
    # The first round warms up; in round k both take k + 1 and 2 (k + 2) seconds on this clock, whatever its speed.
    rounds = np.arange(1, ROUNDS + 1)
    assert (first.low, first.seconds, first.high) == pytest.approx(np.percentile(rounds + 1, [25, 50, 75]), rel=1e-3)
    ratios = 2 * (rounds + 2) / (rounds + 1)
    assert (second.ratio_low, second.ratio, second.ratio_high) == pytest.approx(
        np.percentile(ratios, [25, 50, 75]), rel=1e-3
    )
    assert first.clip_s == 4.0


def test_rows_are_timed_together_or_not_at_all(setup, made, tmp_path):
    path = tmp_path / "speed.csv"
    time_rows(setup, GRID, path)
    assert not path.is_file(), "no run is there"
    trained(setup, *RANKED[:3])
    time_rows(setup, GRID, path)
    before = path.read_bytes()
    elsewhere = dataclasses.replace(setup, work=tmp_path / "elsewhere")
    trained(elsewhere, *RANKED[1:3])
    made.clear()
    time_rows(elsewhere, GRID, path)
    assert (path.read_bytes(), made) == (before, []), "a file of more rows stays"
    trained(elsewhere, *RANKED[3:6])
    time_rows(elsewhere, GRID, path)
    assert list(read_times(path)) == [row.label for row in RANKED[1:6]], "and none of its rows joins those of another"
    assert ("v2a_mapper", 1.25) in made, "each with the guidance of its row"
