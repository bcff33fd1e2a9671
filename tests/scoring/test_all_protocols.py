"""One audio under several protocols."""

from __future__ import annotations

import csv
import io

import pytest

from foleybench import cli
from foleybench.errors import FoleyError
from foleybench.media.audio import write_wav
from foleybench.scoring import all_protocols
from foleybench.scoring.all_protocols import ProtocolCell
from foleybench.scoring.evaluate import EvalRequest
from foleybench.shards.dataset import ShardDataset


@pytest.fixture
def audio(clicks, tmp_path, monkeypatch):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path / "no_weights"))
    monkeypatch.setenv("FOLEYBENCH_CACHE", str(tmp_path / "cache"))
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(tmp_path / "audio" / f"{clip.clip_id}.wav", clip.audio * 0.5, clip.rate_hz)
    return tmp_path / "audio"


def request(clicks, audio):
    model = {"name": "half", "title": "Half", "kind": "model"}
    return EvalRequest(data=clicks, audio=audio, protocol="", model=model, resamples=20)


def test_what_can_run_is_scored_and_the_rest_says_why(clicks, audio):
    cells = all_protocols.score_under_all(request(clicks, audio), ["signal", "foleybench", "synth"])
    by_name = {(cell.protocol, cell.metric): cell for cell in cells}
    level = by_name["signal", "level_difference"]
    assert level.value == pytest.approx(6.02, abs=0.01)
    assert by_name["foleybench", "level_difference"].value == pytest.approx(level.value)
    assert "weights fetch passt" in by_name["foleybench", "kld_passt"].reason
    assert by_name["foleybench", "kld_passt"].quantity == "KLD (PaSST)"
    assert by_name["synth", "kld_mini"].reason == "made for the data set synthfoley"
    assert "no clip has a reported time" in by_name["foleybench", "seconds_per_clip"].reason


@pytest.mark.slow
def test_csv_has_a_line_for_every_metric(clicks, audio):
    cells = all_protocols.score_under_all(request(clicks, audio), ["signal", "paper", "foleybench"])
    rows = list(csv.DictReader(io.StringIO(all_protocols.as_csv(cells))))
    assert len(rows) == len(cells)
    assert {row["protocol"] for row in rows} == {"signal", "paper", "foleybench"}
    assert all(bool(row["value"]) != bool(row["reason"]) for row in rows)


def test_nothing_to_show_is_an_error(clicks, audio):
    with pytest.raises(FoleyError, match="no metric of any protocol"):
        all_protocols.score_under_all(request(clicks, audio), ["avbench"])


def test_table_of_the_spread():
    cells = [
        ProtocolCell(quantity="KLD", protocol="one", metric="a", value=2.0, low=1.5, high=2.5),
        ProtocolCell(quantity="KLD", protocol="two", metric="b", value=3.0),
        ProtocolCell(quantity="FAD", protocol="two", metric="c", value=1.0),
        ProtocolCell(quantity="IS", protocol="three", metric="d", reason="no weights"),
        ProtocolCell(quantity="IS", protocol="two", metric="d", reason="no weights"),
    ]
    table = all_protocols.as_markdown(cells)
    assert "| quantity | one | two | largest / smallest |" in table
    assert "| KLD | 2 [1.5, 2.5] | 3 | 1.5 |" in table
    assert "| FAD |  | 1 |  |" in table
    assert all_protocols.why_not(cells) == ["three/d, two/d: no weights"]


@pytest.mark.slow
def test_command(clicks, audio, tmp_path, capsys):
    words = ["eval", "--audio", audio, "--name", "half", "--data", clicks, "--protocol", "all", "--out", tmp_path / "r"]
    assert cli.main([str(word) for word in [*words, "--resamples", "10"]]) == 3
    said = capsys.readouterr()
    path = tmp_path / "r" / ShardDataset(clicks).name / "half.spread.csv"
    assert said.out == f"{path}\n"
    assert path.read_text().startswith("quantity,protocol,metric,value")
    assert "| Level difference |" in said.err
    assert "weights fetch" in said.err


def test_a_name_that_is_no_file_name_is_refused(clicks, audio, tmp_path, capsys):
    words = ["eval", "--audio", audio, "--name", "../x", "--data", clicks, "--protocol", "all", "--out", tmp_path / "r"]
    assert cli.main([str(word) for word in words]) == 1
    assert "cannot be part of a file name" in capsys.readouterr().err
