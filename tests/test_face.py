"""What ``import foleybench`` offers: quick to import, every name there, documented, its example run by doctest."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import foleybench


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, foleybench\n"
        "heavy = {'torch', 'numpy', 'av', 'pandas', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", foleybench.__all__)
def test_every_public_name_loads_and_says_what_it_is(name):
    assert getattr(foleybench, name).__doc__
    assert name in dir(foleybench)


@pytest.mark.parametrize("name", sorted(set(foleybench.__all__) - {"FoleyError"}))
def test_every_public_name_has_an_example(name):
    """Doctest runs it where it stands, in its own module."""
    assert ">>> " in getattr(foleybench, name).__doc__


def test_the_version_is_that_of_the_package():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert foleybench.__version__ == project["version"]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Acumulator'"):
        _ = foleybench.Acumulator


def test_names_that_the_readme_once_had_say_where_they_are():
    import foleybench.metrics

    with pytest.raises(ImportError, match="from foleybench import Accumulator"):
        _ = foleybench.metrics.Accumulator
