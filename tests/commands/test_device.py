"""``--device auto`` means what is there, in every command that takes a device."""

import argparse

import pytest
import torch

from foleybench.commands import _prepare_features
from foleybench.errors import FoleyError
from foleybench.reproduce import build


def feature_words(*more):
    parser = argparse.ArgumentParser()
    _prepare_features.add_arguments(parser)
    return parser.parse_args(["--data", "x.manifest.jsonl", "--encoder", "loudness", "--out", "x", *more])


def test_prepare_features(tmp_path):
    there = "cuda" if torch.cuda.is_available() else "cpu"
    assert _prepare_features._request(feature_words("--device", "auto"), tmp_path).device == there
    assert _prepare_features._request(feature_words(), tmp_path).device == "cpu"
    with pytest.raises(FoleyError, match="device 'nothing' cannot be used"):
        _prepare_features._request(feature_words("--device", "nothing"), tmp_path)


def test_reproduce(tmp_path, monkeypatch):
    from foleybench.cli import main

    seen = []
    monkeypatch.setattr(build, "steps_of", lambda setup, table: seen.append(setup.device) or [])
    monkeypatch.setattr(build, "write_tables", lambda *words, **more: [])
    main(["reproduce", "table1", "--device", "auto", "--work", str(tmp_path / "w"), "--out", str(tmp_path / "o")])
    assert seen == ["cuda" if torch.cuda.is_available() else "cpu"]
