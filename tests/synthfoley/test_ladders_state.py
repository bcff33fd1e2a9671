"""``benchmarks/ladders.py``: which clips and metrics its state spares."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "ladders.py"
FOUND = {"another take": {"value": 0.5}}


@pytest.fixture
def program():
    spec = importlib.util.spec_from_file_location("ladders_program", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ladders_program"] = module
    spec.loader.exec_module(module)
    return module


def test_a_metric_is_measured_where_the_state_lacks_it_and_read_from_all_lines(program, tmp_path, monkeypatch):
    whole, part, other = program.split_specs("test", program.CorpusOptions())[:3]
    state = tmp_path / "state.jsonl"
    lines = [
        {"clip_id": whole.clip_id, "stats": {"event_f1": FOUND, "level_correlation": FOUND}},
        {"clip_id": part.clip_id, "stats": {"event_f1": FOUND}},
    ]
    state.write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = []

    def measured(spec, metrics, encoders):
        asked.append((spec.clip_id, *metrics))
        return dict.fromkeys(metrics, FOUND)

    monkeypatch.setattr(program, "statistics_of", measured)
    monkeypatch.setattr(program, "report", lambda found, metrics: f"{sorted(found)} {sorted(metrics)}")
    page = tmp_path / "page.md"
    words = ["ladders.py", "--clips", "2", "--state", str(state), "--out", str(page)]
    words += ["--metric", "level_correlation", "--metric", "event_f1"]
    monkeypatch.setattr(sys, "argv", words)
    program.main()
    assert asked == [(part.clip_id, "level_correlation", "event_f1")]
    assert page.read_text() == "['event_f1', 'level_correlation'] ['event_f1', 'level_correlation']"
    assert program.read_state(state, [whole, part, other], ["event_f1"]).keys() == {"event_f1"}
    found = program.read_state(state, [whole, part, other], ["level_correlation", "event_f1"])
    for name in ("level_correlation", "event_f1"):
        assert found[name]["another take"].keys() == {whole.clip_id, part.clip_id}
    assert np.array_equal(found["event_f1"]["another take"][part.clip_id]["value"], 0.5)
