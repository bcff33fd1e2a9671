"""What is said of mistyped words, of paths where nothing is, and of names without more."""

from __future__ import annotations

import pytest

from foleybench import registry
from foleybench.cli import main
from foleybench.errors import EXIT_ERROR, EXIT_OK, EXIT_USAGE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evl"], "Did you mean 'eval'? (`foleybench --help`)"),
        (["evl", "--audio", "x"], "Did you mean 'eval'? (`foleybench --help`)"),
        (["prepare", "synthfoley", "--size", "tny"], "Did you mean 'tiny'? (`foleybench prepare synthfoley --help`)"),
        (["prepare", "folder", "x", "--time-limit", "10s"], "invalid number of seconds value: '10s'"),
        (["eval", "--audio", "x", "--refernce", "y"], "Did you mean '--reference'? (`foleybench eval --help`)"),
        (["eval", "--refernce=y"], "Did you mean '--reference'?"),
        (["prepare", "foldr", "x"], "Did you mean 'folder'? (`foleybench prepare --help`)"),
        (["prepare", "folder", "--naems", "x", "y"], "Did you mean '--names'? (`foleybench prepare folder --help`)"),
        (["eval", "--controls", "--engine", "rey"], "Did you mean 'ray'?"),
        (["eval", "--controls", "--zzz"], "unrecognized arguments: --zzz (`foleybench eval --help`)"),
        (["eval"], "is required (`foleybench eval --help`)"),
    ],
)
def test_the_nearest_word_is_named(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == EXIT_USAGE
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_folder_is_no_video_and_votes_are_a_file(tmp_path, capsys):
    words = ["generate", "--model", "silence", "--out", str(tmp_path / "out"), "--video"]
    assert main([*words, str(tmp_path)]) == EXIT_ERROR
    assert f"--video {tmp_path} is a folder" in capsys.readouterr().err
    assert main([*words, str(tmp_path), "--dry-run"]) == EXIT_ERROR
    assert main(["votes", str(tmp_path / "ann.json")]) == EXIT_ERROR
    assert "no file of votes at" in capsys.readouterr().err


def test_show_says_that_nothing_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["show", "nothing_here"]) == EXIT_ERROR
    assert "there is nothing at nothing_here. Name a manifest" in capsys.readouterr().err
    assert main(["show", "onset_agreement"]) == EXIT_ERROR
    assert "For the card: `foleybench show metrics onset_agreement`." in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["metrics", "models", "protocols", "encoders", "datasets"])
def test_a_list_says_what_each_thing_is(kind, capsys):
    assert main(["list", kind]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == registry.names(kind)
    assert all(len(line.split()) > 2 for line in lines), lines
    assert main(["list", kind, "--names"]) == EXIT_OK
    assert capsys.readouterr().out.splitlines() == registry.names(kind)


def test_a_device_that_is_not_there_is_said(clicks, tmp_path, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("CUDA is here")
    for verb in (["eval", "--model", "silence"], ["sanity"], ["generate", "--model", "silence"]):
        words = [*verb, "--data", str(clicks), "--out", str(tmp_path / "out"), "--device", "cuda"]
        assert main(words) == EXIT_ERROR
        said = capsys.readouterr().err
        assert "device 'cuda' cannot be used" in said
        assert "Here: cpu; `--device auto` takes it." in said


def test_auto_is_what_is_there(monkeypatch):
    import torch

    from foleybench.scoring.device import usable_device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert usable_device("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert usable_device("auto") == "cuda"
    assert usable_device("cpu") == "cpu"


def test_weights_that_are_absent_are_not_called_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    assert main(["weights", "verify", "vggish"]) == EXIT_ERROR
    out = capsys.readouterr().out
    assert out.startswith("vggish              absent  ")
    assert "wrong" not in out
    assert main(["weights", "fetch", "vggsh"]) == EXIT_USAGE
    assert "there is no encoder with weights 'vggsh'. Did you mean 'vggish'?" in capsys.readouterr().err


def test_names_of_every_length_stand_in_one_column(capsys):
    assert main(["list", "metrics"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (column,) = {len(line) - len(line.split(maxsplit=1)[1]) for line in lines}
    assert column == max(len(line.split()[0]) for line in lines) + 2
