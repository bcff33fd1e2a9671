"""Align Acc and DeSync from clips to values, on small random networks: the evaluator, its cache, and short clips."""

import json

import pytest

from foleybench.cli import main
from foleybench.encoders import cavp_video, diff_foley_align
from foleybench.encoders._nets import synchformer
from tests.encoders import tiny_nets

pytestmark = pytest.mark.slow


@pytest.fixture
def networks(tmp_path, monkeypatch):
    folder = tmp_path / "weights"
    folder.mkdir()
    for module in (cavp_video, diff_foley_align, synchformer):
        tiny_nets.install(module, folder, monkeypatch)
    monkeypatch.setattr(cavp_video, "SIDE_PX", 32)


def scored(tmp_path, data, protocol):
    words = ["eval", "--model", "ground_truth", "--data", data, "--protocol", protocol, "--resamples", "20"]
    folders = {"--work": "audio", "--out": "results", "--cache": "cache"}
    main([*map(str, words), *(str(part) for pair in folders.items() for part in (pair[0], tmp_path / pair[1]))])
    (path,) = (tmp_path / "results").rglob("*.json")
    result = json.loads(path.read_text())
    path.unlink()
    return result["metrics"]


@pytest.mark.usefixtures("networks")
def test_from_clips_to_align_acc(tmp_path, make_clicks):
    metrics = scored(tmp_path, make_clicks(tmp_path / "long", 2, duration_s=8.4), "diff_foley")
    for name in ("align_acc", "align_acc_parity"):
        assert metrics[name]["n_used"] == 2
        assert metrics[name]["value"] in {0.0, 50.0, 100.0}


@pytest.mark.usefixtures("networks")
def test_short_clips_are_counted_and_make_no_number(tmp_path, make_clicks):
    metrics = scored(tmp_path, make_clicks(tmp_path / "short", 2, duration_s=2.0), "diff_foley")
    for name in ("align_acc", "align_acc_parity"):
        assert metrics[name]["value"] is None
        assert metrics[name]["not_applicable"] == 2


@pytest.mark.usefixtures("networks")
def test_from_clips_to_desync(tmp_path, make_clicks, monkeypatch):
    from foleybench.api.protocol import Protocol
    from foleybench.protocols import diff_foley

    wanted = ("desync", "desync_expected", "desync_within")
    protocol = Protocol(title="t", version=1, description="t", metrics=wanted, headline={}, crop_s=8.0)
    monkeypatch.setattr(diff_foley, "PROTOCOL", protocol)
    metrics = scored(tmp_path, make_clicks(tmp_path / "long", 2, duration_s=8.4), "diff_foley")
    assert all(metrics[name]["n_used"] == 2 for name in wanted)
    assert 0 <= metrics["desync"]["value"] <= 2
    assert 0 < metrics["desync_expected"]["value"] < 2
    again = scored(tmp_path, make_clicks(tmp_path / "long", 2, duration_s=8.4), "diff_foley")
    assert {name: again[name]["value"] for name in wanted} == {name: metrics[name]["value"] for name in wanted}
