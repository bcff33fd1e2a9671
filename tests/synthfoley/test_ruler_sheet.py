"""``benchmarks/ruler.py sheet``: look-alikes beside the source."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "ruler.py"
WIDTH = 9 * 64


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("ruler_program", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ruler_program"] = module
    spec.loader.exec_module(module)
    return module


def blocks(row):
    gap = (row.shape[1] - 3 * WIDTH) // 2
    return [row[:, k * (WIDTH + gap) : k * (WIDTH + gap) + WIDTH] for k in range(3)]


@pytest.mark.parametrize("label", ["hammer_bell", "spin_tin", "bow_saw"])
def test_what_misses_looks_otherwise_than_the_source_and_only_contacts_have_a_gentle_kind(program, label):
    source, missing, gentle = blocks(program._sheet_row(label))
    assert np.any(source != missing)
    assert np.all(gentle == 255) == (label != "hammer_bell")
    if label == "hammer_bell":
        assert np.any(gentle != source)
        assert np.any(gentle != missing)


def test_a_hand_that_misses_turns_past_short_pegs_and_a_gentle_one_keeps_them(program):
    spec = program.split_specs("test", program.CorpusOptions())
    source = next(
        actor
        for one in spec
        if one.label == "spin_bell"
        for actor in program.compose(one).actors
        if actor.extra.get("pegs")
    )
    missing = program._look_alike(source, "miss")
    assert [angle for angle, _ in missing.extra["pegs"]] == [angle for angle, _ in source.extra["pegs"]]
    assert not any(long for _, long in missing.extra["pegs"])
    assert missing.silent == "miss"
    assert program._look_alike(source, "soft").extra == source.extra


def test_the_sheet_names_every_class_and_is_small(program, tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.setattr(program, "class_names", lambda: ["hammer_bell", "spin_tin"])
    program.sheet(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.mode == "P"
        assert picture.height == program._HEAD_PX + 2 * 64
        left = np.asarray(picture.convert("RGB"))[program._HEAD_PX :, : program._NAMES_PX]
    assert all(np.any(left[k * 64 : (k + 1) * 64] < 128) for k in range(2))
