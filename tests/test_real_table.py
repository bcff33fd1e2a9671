"""``benchmarks/real_table.py``: shares, systems joined over sets, and what it refuses to hide."""

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


def test_the_page_says_which_clips_were_cut(table):
    rows = [("a", "x", 8.01, 10.01), ("a", "y", 8.19, 10.02), ("a", "z", 10.0, None), ("b", "x", 30.0, 32.67)]
    values = pd.DataFrame(rows, columns=["set", "clip", "seconds", "cut_from_seconds"])
    assert table.clip_lengths(values).endswith(
        "2 clips of a to 8.0-8.2 s (of 10.0 s); 1 clip of b to 30.0 s (of 32.7 s)."
    )
    assert table.clip_lengths(values[2:3]).endswith(": no clip.")


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
    estimates = found.estimates
    assert abs(estimates["of_b"].value - estimates["of_a"].value) < 0.05
    assert estimates["of_a"].n_clips == 40
    assert estimates["shared1"].n_sets == 2


def simulated(draw, means, *, of_sets=0.1, of_clips=0.1, of_systems=0.1, rest=0.15):
    """Shares of systems with known means: six sets of five clips, systems in three sets each, two controls in all."""
    rows = []
    for number in range(6):
        home, here = f"s{number}", draw.normal(0, of_sets)
        names = [name for i, name in enumerate(means) if name.startswith("m") and (i + number) % 2 == 0]
        own = {name: draw.normal(0, of_systems) for name in [*names, "shift_1s", "band_limited"]}
        for clip in range(5):
            level = here + draw.normal(0, of_clips)
            rows += [
                (home, f"{home}c{clip}", name, means.get(name, 0.2) + level + deviation + draw.normal(0, rest))
                for name, deviation in own.items()
            ]
    return pd.DataFrame(rows, columns=["set", "clip", "system", "share"])


def test_equal_systems_are_rarely_called_different(table):
    """Family-wise: 5 % of tables of 28 pairs name a pair; of 60 tables, nine would be 3.6 standard errors away."""
    draw = np.random.default_rng(3)
    means = {f"m{number}": 0.8 for number in range(8)}
    found = [table.fit(simulated(draw, means)) for _ in range(60)]
    assert found[0].n_pairs == 28
    wrong = sum(bool(one.differing) for one in found)
    assert 1 <= wrong <= 8
    ranks = [one.estimates["m0"].standing for one in found if not one.differing]
    assert set(ranks) == {(1, 8, True)}


def test_a_clearly_better_system_is_found_and_ranked(table):
    draw = np.random.default_rng(4)
    means = {f"m{number}": 0.2 if number == 3 else 1.0 for number in range(8)}
    found = [table.fit(simulated(draw, means)) for _ in range(10)]
    pairs = [pair for one in found for pair in one.differing]
    assert sum(near == "m3" for near, _ in pairs) >= 0.9 * 7 * 10
    assert sum(any(near != "m3" for near, _ in one.differing) for one in found) <= 2
    assert sum(one.estimates["m3"].standing[:2] == (1, 1) for one in found) >= 7
    assert all(one.estimates["shift_1s"].standing is None for one in found)


def test_the_page_says_which_systems_differ(table):
    none = table.Fitted({}, [], 3)
    some = table.Fitted({}, [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")], 3)
    alike = table.which_differ(dict.fromkeys(table.METRICS, none))
    assert alike.startswith(
        "**No two systems are significantly different by Similarity (aiSFX), KLD (aiSFX), Mel profile distance or "
    )
    told = table.which_differ({**dict.fromkeys(table.METRICS, none), "onset_agreement": some})
    assert "By Onset agreement, mean over clips, `a` and `b` are better than `c` and `d`; " in told
    assert "; `c` is better than `d`." in told
    assert "the 3 pairs of systems" in told


def test_pairs_are_counted_metric_by_metric(table):
    fitted = {metric: table.Fitted({}, [], 3) for metric in table.METRICS}
    told = table.which_differ(fitted | {"onset_agreement": table.Fitted({}, [], 1)})
    counts = "Similarity (aiSFX): 3, KLD (aiSFX): 3, Mel profile distance: 3, Onset agreement, mean over clips: 1"
    assert f"Holm-corrected over the pairs ({counts}) of systems" in told


def test_the_page_says_which_values_rest_on_fewer_clips(table):
    """The real sound of a clip may have no onset: then onset agreement has fewer clips than the row."""
    lines = (HOME / "leaderboards" / "real.md").read_text().splitlines()
    heads = [line for line in lines if line.startswith("| System | Clips (sets) |")]
    cells = next(line for line in lines[lines.index(heads[0]) :] if line.startswith("| `clipsonic_iq` |")).split(" | ")
    assert cells[1] == "7 (1)"
    assert [" clips" in cell for cell in cells] == [False, False, False, False, False, True]
    assert cells[-1].endswith(" · 2 of 7 clips |")
    values = table.read_values(HOME / "leaderboards" / "real.csv")
    of_row = values[(values.system == "clipsonic_iq") & (values.metric == "onset_agreement")]
    assert len(of_row) == 2
    of_set = lines[lines.index("### v2a_mapper") :]
    assert next(line for line in of_set if line.startswith("| `clipsonic_iq` | 7 |")).endswith(" · 2 of 7 clips |")


def test_the_committed_page_is_what_the_committed_values_make(table, tmp_path, monkeypatch):
    monkeypatch.chdir(HOME)
    monkeypatch.setattr(sys, "argv", ["real_table.py", "--out", str(tmp_path / "real.md")])
    assert table.main() == 0
    made, kept = (path.read_text() for path in (tmp_path / "real.md", HOME / "leaderboards" / "real.md"))
    number = re.compile(r"-?\d+\.\d+")
    assert number.sub("", made) == number.sub("", kept)
    # Another machine's sums may round the last digit the other way.
    assert np.allclose(*(np.array(number.findall(text), dtype=float) for text in (made, kept)), atol=0.0101, rtol=0)
    assert made.index("chosen by authors") < made.index("significantly different") < made.index("| System |")
