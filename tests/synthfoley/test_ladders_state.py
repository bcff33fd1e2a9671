"""``benchmarks/ladders.py``: which clips, metrics and ladders its state spares, and what encoders are given."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from benchmarks import ladders as program
from foleybench.api.metric import Metric, Need
from foleybench.stats.pools import mean_of
from foleybench.synthesis.splits import CorpusOptions
from foleybench.synthfoley.ladders import LADDERS
from foleybench.synthfoley.spec import ClipSpec
from foleybench.synthfoley.splits import split_specs

FOUND = {"another take": {"value": 0.5}}
SPECS = split_specs("test", CorpusOptions())[:4]


@pytest.fixture
def asked(monkeypatch):
    """Measure nothing, and return what was asked for: (clip id, metrics, ladders)."""
    calls = []

    def measured(spec, metrics, ladders, encoders):
        calls.append((spec.clip_id, sorted(metrics), list(ladders)))
        return dict.fromkeys(metrics, FOUND)

    monkeypatch.setattr(program, "Built", lambda encoder: encoder)
    monkeypatch.setattr(program, "statistics_of", measured)
    monkeypatch.setattr(program, "page", counted)
    return calls


def counted(found, metrics, sources, command, clips):
    """Write how many clips each metric has in place of the page."""
    assert set(found) == set(metrics)
    numbers = {name: len(found[name]["another take"]) for name in metrics}
    assert len(sources) == max(numbers.values())
    return f"{numbers} {command} {clips}"


def write(state, *lines):
    """Write lines of a state."""
    state.write_text("".join(json.dumps(line) + "\n" for line in lines))


def run(monkeypatch, *words):
    """Run the program with these words."""
    monkeypatch.setattr(sys, "argv", ["ladders", *map(str, words)])
    program.main()


def test_a_metric_is_measured_where_the_state_lacks_it_and_read_from_all_lines(asked, tmp_path, monkeypatch):
    whole, part = (spec.clip_id for spec in SPECS[:2])
    state, page = tmp_path / "state.jsonl", tmp_path / "page.md"
    write(
        state,
        {"clip_id": whole, "stats": {"event_f1": FOUND, "level_correlation": FOUND}},
        {"clip_id": part, "stats": {"event_f1": FOUND}},
    )
    metrics = ("--metric", "level_correlation", "--metric", "event_f1")
    run(monkeypatch, "--clips", 2, "--state", state, "--out", page, *metrics)
    assert asked == [(part, ["level_correlation"], list(LADDERS))]
    command = "python -m benchmarks.ladders --clips 2 --metric level_correlation --metric event_f1"
    assert page.read_text() == f"{{'level_correlation': 2, 'event_f1': 2}} {command} --state FILE --out FILE 2"
    found = program.read_state(state, SPECS[:3], ["level_correlation", "event_f1"])
    for name in ("level_correlation", "event_f1"):
        assert list(found[name]["another take"]) == [whole, part]
    assert np.array_equal(found["event_f1"]["another take"][part]["value"], 0.5)
    assert program.read_state(state, SPECS[1:2], ["event_f1"])["event_f1"]["another take"].keys() == {part}
    run(monkeypatch, "--clips", 2, "--state", state, "--out", page, *metrics)
    assert len(asked) == 1  # nothing is scored twice


def test_a_line_that_names_ladders_lacks_the_others(asked, tmp_path):
    one, other = (spec.clip_id for spec in SPECS[:2])
    state = tmp_path / "state.jsonl"
    write(
        state,
        {"clip_id": one, "ladders": ["missing", "class"], "stats": {"event_f1": FOUND}},
        {"clip_id": other, "stats": {"event_f1": FOUND}},
    )
    metrics = {name: program.registry.load("metrics", name) for name in ("event_f1",)}
    program.score_missing(SPECS[:2], metrics, ["jitter", "missing", "class"], state)
    assert asked == [(one, ["event_f1"], ["jitter"])]
    assert json.loads(state.read_text().splitlines()[-1])["ladders"] == ["jitter"]


def test_distances_have_more_clips_on_their_own_ladders_alone(asked, tmp_path, monkeypatch, capsys):
    metrics = ("--metric", "fad_mini", "--metric", "event_f1")
    run(monkeypatch, "--clips", 1, "--distance-clips", 3, "--state", tmp_path / "state.jsonl", *metrics)
    first, *more = (spec.clip_id for spec in SPECS[:3])
    own = [name for name in LADDERS if name in program.OWN["fad_mini"]]
    assert asked == [
        (first, ["event_f1", "fad_mini"], list(LADDERS)),
        *((clip_id, ["fad_mini"], own) for clip_id in more),
    ]
    printed = capsys.readouterr().out
    assert printed.startswith(
        "{'fad_mini': 3, 'event_f1': 1} python -m benchmarks.ladders --clips 1 --distance-clips 3"
    )
    assert printed.endswith(" 1\n")


def test_encoders_that_see_are_given_the_frames_and_each_side_its_own_encoders():
    seen = []

    class Ears:
        rate_hz, sees = 8000, False

        def encode(self, signals):
            seen.append(("ears", len(signals[0].audio), signals[0].frames))
            return [{"peak": np.abs(signals[0].audio).max()}]

    class Eyes(Ears):
        rate_hz, sees = 16000, True

        def encode(self, signals):
            seen.append(("eyes", len(signals[0].audio), signals[0].frames.shape))
            assert len(signals[0].frame_times_s) == len(signals[0].frames)
            return [{"frames": np.float64(len(signals[0].frames))}]

    metric = Metric(
        title="x",
        version=1,
        unit="1",
        better="higher",
        ideal=1.0,
        source="here",
        needs={
            "heard": Need(encoder="ears", layer="peak", of="reference"),
            "seen": Need(encoder="eyes", layer="frames", of="generated"),
        },
        per_clip=lambda clip: {"seen": clip["seen"], "heard": np.float64(clip["heard"])},
        pool=mean_of("seen"),
        undefined="no clip has a frame",
    )
    spec = ClipSpec(clip_id="x_000000", source_id="x", label="bounce_tin", split="test", duration_s=1.0)
    stats = program.statistics_of(spec, {"one": metric}, ["class"], {"ears": Ears(), "eyes": Eyes()})
    assert list(stats["one"]) == ["another take", "class 0.05", "class 0.1", "class 0.2", "class 0.4"]
    assert stats["one"]["class 0.1"]["seen"] == 25.0
    assert seen == [("ears", 8000, None), *[("eyes", 16000, (25, 64, 64, 3))] * 5]
