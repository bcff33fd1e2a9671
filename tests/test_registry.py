"""Names are files."""

from __future__ import annotations

import sys

import pytest

from foleybench import registry
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


def test_model_from_a_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("MODEL = 'a model'\ndef make():\n    return 'made'\n")
    assert registry.load_file(f"{path}:MODEL") == "a model"
    assert registry.load_file(f"{path}:make") == "made"
    with pytest.raises(FoleyError, match="does not define OTHER"):
        registry.load_file(f"{path}:OTHER")
    with pytest.raises(FoleyError, match="no file at"):
        registry.load_file(f"{tmp_path / 'absent.py'}:MODEL")


@pytest.mark.parametrize("kind", ["commands", "datasets", "encoders", "metrics", "models", "protocols"])
def test_every_name_of_a_kind_loads(kind):
    names = registry.names(kind)
    assert names
    for name in names:
        assert registry.load(kind, name) is not None
