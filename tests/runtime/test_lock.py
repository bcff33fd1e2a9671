"""Two runs do not work on one folder, and a killed one leaves nothing behind that stops the next."""

from __future__ import annotations

import subprocess
import sys

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
