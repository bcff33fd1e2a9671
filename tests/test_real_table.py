"""``benchmarks/real_table.py``: shares, the mixed model against a closed form, and what it refuses to hide."""

from __future__ import annotations

import importlib.util
import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
HOME = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("real_table", HOME / "benchmarks" / "real_table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["real_table"] = module
    spec.loader.exec_module(module)
    return module


def lines_of(values):
    """Lines of the table of values, from (set, clip, system) -> value."""
    rows = [(*key, "model", "similarity_aisfx", value) for key, value in values.items()]
    return pd.DataFrame(rows, columns=["set", "clip", "system", "kind", "metric", "value"])


def test_a_share_is_the_way_from_the_real_sound_to_another_clip_of_its_set(table):
    values = {}
    for home, (real, other) in {"a": (1.0, 0.8), "b": (0.0, 4.0)}.items():
        for clip in ("x", "y"):
            values |= {(home, clip, "ground_truth"): real, (home, clip, "other_clip"): other}
        values[home, "x", "mine"] = real + 0.25 * (other - real)
    found = table.shares(lines_of(values)).set_index(["set", "clip", "system"]).share
    assert found["a", "x", "mine"] == pytest.approx(0.25)
    assert found["b", "x", "mine"] == pytest.approx(0.25)
    assert ("a", "y", "mine") not in found


def test_one_random_effect_in_a_balanced_design_has_the_error_of_the_textbook(table):
    """Block means of a one-way random model: the error of the mean is the spread of block means over root n."""
    draw = np.random.default_rng(0)
    blocks = np.repeat(np.arange(30), 4)
    values = 2.0 + draw.normal(0, 1.0, 30)[blocks] + draw.normal(0, 0.5, 120)
    alike = [(blocks[:, None] == blocks).astype(float)]
    means, errors = table.mixed_means(values, np.ones((120, 1)), [*alike, np.zeros((120, 120)), np.zeros((120, 120))])
    of_blocks = values.reshape(30, 4).mean(axis=1)
    assert means[0] == pytest.approx(values.mean(), abs=1e-6)
    assert errors[0] == pytest.approx(of_blocks.std(ddof=1) / np.sqrt(30), rel=1e-3)


def test_systems_of_different_sets_are_joined_by_what_they_share(table):
    """Set b is harder by 0.3 for all; its own system must not be charged for that."""
    draw = np.random.default_rng(1)
    true = {"shared1": 0.5, "shared2": 0.7, "of_a": 0.6, "of_b": 0.6}
    rows = []
    for home, clip in itertools.product("ab", range(40)):
        clip_effect = draw.normal(0, 0.1)
        for system, mean in true.items():
            if system not in ("of_a", "of_b") or system.endswith(home):
                share = mean + (0.3 if home == "b" else 0.0) + clip_effect + draw.normal(0, 0.05)
                rows.append((home, f"{home}{clip}", system, share))
    found = table.fit(pd.DataFrame(rows, columns=["set", "clip", "system", "share"]))
    plain = {name: np.mean([row[3] for row in rows if row[2] == name]) for name in true}
    assert plain["of_b"] - plain["of_a"] > 0.25
    assert abs(found["of_b"].value - found["of_a"].value) < 0.05
    assert found["of_a"].n_clips == 40
    assert found["shared1"].n_sets == 2


def test_the_committed_page_is_what_the_committed_values_make(table, tmp_path, monkeypatch):
    monkeypatch.chdir(HOME)
    monkeypatch.setattr(sys, "argv", ["real_table.py", "--out", str(tmp_path / "real.md")])
    assert table.main() == 0
    made, kept = (path.read_text() for path in (tmp_path / "real.md", HOME / "leaderboards" / "real.md"))
    number = re.compile(r"-?\d+\.\d+")
    assert number.sub("", made) == number.sub("", kept)
    # Another machine's sums may round the last digit the other way.
    assert np.allclose(*(np.array(number.findall(text), dtype=float) for text in (made, kept)), atol=0.0101, rtol=0)
    assert made.index("chosen by authors") < made.index("| Place |")
