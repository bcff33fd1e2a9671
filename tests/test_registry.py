"""Names are files."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from foleybench import registry
from foleybench.api.dataset import Dataset
from foleybench.api.encoder import Encoder
from foleybench.api.metric import Metric
from foleybench.api.model import Model
from foleybench.api.protocol import Protocol
from foleybench.errors import FoleyError, UnknownNameError


def test_listing_imports_nothing():
    import subprocess

    code = "import sys; from foleybench import registry; registry.names('metrics'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match=r"there is no metric 'event_f2'. Did you mean 'event_f1'\?"):
        registry.load("metrics", "event_f2")


def test_unknown_kind():
    with pytest.raises(UnknownNameError, match="no kind 'metric'"):
        registry.names("metric")


CONSTANT = """
from foleybench.api.protocol import Protocol
PROTOCOL = Protocol(title="Mine", version=1, description="", metrics=(), headline={})
WORD = "a word"
def make():
    return PROTOCOL
"""


def test_a_file_gives_a_constant_or_what_a_function_returns(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CONSTANT)
    assert registry.load("protocols", f"{path}:PROTOCOL").title == "Mine"
    assert registry.load("protocols", f"{path}:make") is registry.load("protocols", f"{path}:PROTOCOL")


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("protocols", "mine.py:OTHER", "does not define OTHER"),
        ("protocols", "absent.py:PROTOCOL", "no file at"),
        ("protocols", "mine.py:WORD", "gives a str; a Protocol of foleybench.api.protocol is wanted"),
        ("metrics", "mine.py:PROTOCOL", "gives a Protocol; a Metric of foleybench.api.metric is wanted"),
        ("protocols", "mine.py", r"say what to take of the file: .*mine\.py:PROTOCOL"),
        ("protocols", "fault.py:PROTOCOL", r"fault\.py cannot be imported: line 2: "),
        ("protocols", "division.py:PROTOCOL", "line 1: ZeroDivisionError"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_words(tmp_path, kind, name, words):
    (tmp_path / "mine.py").write_text(CONSTANT)
    (tmp_path / "fault.py").write_text("x = 1\ny = = 2\n")
    (tmp_path / "division.py").write_text("x = 1 / 0\n")
    with pytest.raises(FoleyError, match=words):
        registry.load(kind, f"{tmp_path}/{name}")


def test_a_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CONSTANT)
    assert registry.load("protocols", f"{path}:PROTOCOL").title == "Mine"
    path.write_text(CONSTANT.replace("Mine", "Another"))
    assert registry.load("protocols", f"{path}:PROTOCOL").title == "Another"


@pytest.mark.parametrize(
    ("kind", "card"),
    [
        *(("commands", ModuleType), ("datasets", Dataset), ("encoders", Encoder), ("metrics", Metric)),
        *(("models", Model), ("protocols", Protocol)),
    ],
)
def test_every_name_of_a_kind_loads(kind, card):
    names = registry.names(kind)
    assert names
    for name in names:
        assert isinstance(registry.load(kind, name), card), name


def test_every_command_has_what_the_command_line_calls():
    for name in registry.names("commands"):
        module = registry.load("commands", name)
        assert callable(module.add_arguments), name
        assert callable(module.run), name
        assert module.HELP, name
