"""Two runs do not work on one folder, and a killed one leaves nothing behind that stops the next."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from foleybench import cli
from foleybench.errors import EXIT_ERROR, FoleyError
from foleybench.runtime.lock import locked

HOLD = (
    "import pathlib, sys, time\n"
    "from foleybench.runtime.lock import locked\n"
    "with locked(pathlib.Path(sys.argv[1]), 'train', '.lock'):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


def test_a_held_folder_is_refused_until_its_holder_is_gone(tmp_path, clicks, capsys):
    out = tmp_path / "run"
    words = ["train", "foleyflow", "--data", str(clicks), "--out", str(out), "--set", "no_such_setting=1"]
    with subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(FoleyError, match=r"another `foleybench train` is working on .*run"),
            locked(out, "train", ".lock"),
        ):
            pass
        assert cli.main(words) == EXIT_ERROR
        assert "is working on" in capsys.readouterr().err
        holder.kill()
    assert cli.main(words) != 0
    assert "no_such_setting" in capsys.readouterr().err


def refused(out: Path, *, made: str = "") -> None:
    """Hold a folder, make a file in it or none, and end with an error."""
    try:
        with locked(out, "prepare", ".prepared/lock"):
            if made:
                (out / made).touch()
            raise FoleyError("refused")
    except FoleyError as error:
        assert str(error) == "refused"  # noqa: PT017 - the body holds two statements


def test_what_is_refused_leaves_no_trace(tmp_path):
    refused(tmp_path / "shards" / "mine")
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_before_a_refusal_stays(tmp_path):
    out = tmp_path / "shards" / "mine"
    out.mkdir(parents=True)
    refused(out)
    assert list(tmp_path.rglob("*")) == [tmp_path / "shards", out]
    refused(out, made="clip")
    assert [path.name for path in out.iterdir()] == ["clip"]
    with locked(out, "prepare", ".prepared/lock"):
        pass
    refused(out)
    assert (out / ".prepared" / "lock").is_file()


def test_a_lock_that_its_holder_just_removed_is_not_held(tmp_path, monkeypatch):
    real = fcntl.flock

    def removed_meanwhile(handle, how):
        (tmp_path / ".lock").unlink()
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", removed_meanwhile)
    with pytest.raises(FoleyError, match="another"), locked(tmp_path, "train", ".lock"):
        pass


def test_a_second_run_does_not_remove_the_lock_of_the_first(tmp_path):
    with locked(tmp_path, "train", ".lock"):
        for _ in range(2):
            with pytest.raises(FoleyError, match="another"), locked(tmp_path, "train", ".lock"):
                pass
        assert (tmp_path / ".lock").is_file()
