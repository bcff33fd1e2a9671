"""Rows timed beside each other: in turn, and never a mixture of two machines or settings."""

import dataclasses
import math
import types

import numpy as np
import pytest

from foleybench import cli
from foleybench.commands import reproduce
from foleybench.errors import FoleyError
from foleybench.generation import speed
from foleybench.reproduce import timing
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import Setup, training_name
from foleybench.reproduce.timing import ROUNDS, read_times, time_rows
from foleybench.runtime import command_plan

GRID = GRIDS["table1"]
RANKED = [row for row in GRID.rows if not row.unranked]


@pytest.fixture
def setup(tmp_path):
    return Setup(work=tmp_path / "work", results=tmp_path / "results")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "times.csv"


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
            calls.append((settings.model, settings.guidance, settings.nfe))
            clock[0] += (1 + list(dict.fromkeys(calls)).index(calls[-1])) * (1 + len(calls) // 2)

        return None, types.SimpleNamespace(generate=generate)

    clip = types.SimpleNamespace(clip_id="a", duration_s=4.0)
    data = types.SimpleNamespace(clip_ids=["a"], load=lambda clip_id, video=True: clip)
    monkeypatch.setattr(timing, "build_generator", build)
    monkeypatch.setattr(timing, "ShardDataset", lambda manifest: data)
    monkeypatch.setattr(timing, "visible_part", lambda clip, model: clip)
    monkeypatch.setattr(speed.time, "perf_counter", lambda: clock[0])
    return calls


def test_every_row_makes_the_clip_in_turn_in_each_round(setup, made, path):
    trained(setup, *RANKED[:2])
    time_rows(setup, GRID, path, again=False)
    assert made == [("foleyflow", None, None), ("specvqgan", None, None)] * (ROUNDS + 1)
    times = read_times(setup, GRID, path)
    assert list(times) == [RANKED[0].label, RANKED[1].label]
    first, second = times.values()
    # The first round warms up; in round k they take k + 1 and 2 (k + 2) seconds on this clock.
    rounds = np.arange(1, ROUNDS + 1)
    assert (first.low, first.seconds, first.high) == pytest.approx(np.percentile(rounds + 1, [25, 50, 75]), rel=1e-3)
    ratios = 2 * (rounds + 2) / (rounds + 1)
    found = second.ratio_low, second.ratio, second.ratio_high
    assert found == pytest.approx(np.percentile(ratios, [25, 50, 75]), rel=1e-3)
    assert first.clip_s == 4.0


def test_rows_are_timed_together_or_not_at_all(setup, made, path, tmp_path):
    time_rows(setup, GRID, path, again=True)
    assert not path.is_file(), "no run is there"
    trained(setup, *RANKED[:3])
    time_rows(setup, GRID, path, again=False)
    before = path.read_bytes()
    elsewhere = dataclasses.replace(setup, work=tmp_path / "elsewhere")
    trained(elsewhere, *RANKED[1:3])
    made.clear()
    time_rows(elsewhere, GRID, path, again=True)
    assert (path.read_bytes(), made) == (before, []), "a file of more rows stays"
    trained(elsewhere, *RANKED[3:6])
    time_rows(elsewhere, GRID, path, again=False)
    times = read_times(setup, GRID, path)
    assert list(times) == [row.label for row in RANKED[1:6]], "none of its rows joins those of another machine"
    assert all(math.isnan(one.ratio) for one in times.values()), "there is no first row to compare with"
    assert ("v2a_mapper", 1.25, None) in made, "each with the guidance of its row"


def test_rows_that_the_file_has_are_timed_anew_only_after_a_run(setup, made, path):
    trained(setup, *RANKED[:3])
    time_rows(setup, GRID, path, again=False)
    made.clear()
    time_rows(setup, GRID, path, again=False)
    assert made == []
    time_rows(setup, GRID, path, again=True)
    assert len(made) == 3 * (ROUNDS + 1)


def test_times_are_of_their_settings_alone(setup, made, path):
    trained(setup, *RANKED[:2])
    time_rows(setup, GRID, path, again=False)
    few = dataclasses.replace(setup, nfe=4)
    assert read_times(few, GRID, path) == {}
    assert read_times(dataclasses.replace(setup, size="base"), GRID, path) == {}
    assert len(read_times(dataclasses.replace(setup, clips=20), GRID, path)) == 2
    made.clear()
    time_rows(few, GRID, path, again=False)
    assert made[:2] == [("foleyflow", None, 4), ("specvqgan", None, None)], "a writer of codes has its own number"


def test_the_command_times_after_its_jobs_and_does_without_where_it_cannot(tmp_path, monkeypatch, capsys):
    done = []

    def refused(setup, grid, path, *, again):
        done.append((grid.title, path.name, again))
        raise FoleyError("no corpus at X. Prepare it.")

    monkeypatch.setattr(command_plan, "run_steps", lambda *args, **kwargs: done.append("jobs"))
    monkeypatch.setattr(timing, "time_rows", refused)
    words = ["reproduce", "table1", "table4", "--work", str(tmp_path / "w"), "--out", str(tmp_path / "o")]
    assert cli.main(words) == reproduce.EXIT_PARTIAL
    assert done == ["jobs", ("Comparison", "table1_times.csv", True)], "table 4 shows no times"
    assert "the rows of table1 are not timed: no corpus at X. Prepare it." in capsys.readouterr().err
