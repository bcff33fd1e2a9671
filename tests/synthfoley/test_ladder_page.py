"""``benchmarks/ladder_page.py``: which steps it names, what it does not extrapolate, and the page in the repository."""

import re
from pathlib import Path

import numpy as np

from benchmarks import ladder_page
from benchmarks.ladder_page import OWN, page
from benchmarks.ladder_power import TRUE, rung, step_name
from foleybench import registry
from foleybench.stats import estimate
from foleybench.synthfoley.ladders import LADDERS

COMMITTED = Path(__file__).parents[2] / "benchmarks" / "results" / "ladders.md"
IDS = [f"{(7 * number) % 110:03d}" for number in range(110)]  # the split's order is not that of the names
SOURCES = {clip_id: clip_id for clip_id in IDS}


def steps_of(*ladders):
    """Return the names of all steps of some ladders, true events first."""
    return [TRUE, *(step_name(ladder, step) for ladder in ladders for step in LADDERS[ladder].steps)]


def hits(*shares):
    """Return, step by step, statistics of a rate of which this share of clips is a hit, the same clips first."""
    sides = [{clip: {"hit": np.array(float(i < 110 * share))} for i, clip in enumerate(IDS)} for share in shares]
    return dict(zip(steps_of("class"), sides, strict=True))


def rows(*ladders):
    """Return statistics of a distance that grows from step to step."""
    rng = np.random.default_rng(0)
    true = rng.normal(size=(110, 1, 3))
    found = {}
    for ladder in ladders:
        for place, name in enumerate(steps_of(ladder)):
            made = true + 0.5 * place * np.array([1.0, 0.0, 0.0]) + 0.1 * rng.normal(size=true.shape)
            pairs = zip(IDS, true, made, strict=True)
            found[name] = {clip: {"reference": one, "generated": other} for clip, one, other in pairs}
    return found


def written(found):
    """Return the lines of the page of some metrics."""
    metrics = {name: registry.load("metrics", name) for name in found}
    return page(found, metrics, SOURCES, command="python x", clips=110).splitlines()


def cells(lines, *start):
    """Return the cells of the only line that starts with these."""
    (line,) = (line for line in lines if line.startswith(f"| {' | '.join(start)} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_own_ladders_say_which_steps_are_told_and_which_may_be_chance():
    # Of 110 clips 88, 88, 86, 60 and 62 are hits.
    lines = written({"class_accuracy": hits(0.8, 0.8, 0.78, 0.545, 0.56)})
    own = cells(lines, "`class_accuracy`", "class", "110", "no: 0.05 0.4 not worse, none significantly better")
    assert own[4:7] == ["0.2", "0.1? 0.2", "0.1? 0.2"]
    values = "0.800 0.800 0.782 0.545 0.564"
    whole = cells(lines, "`class_accuracy`", "class", "110", values, "no")
    assert whole[5] == "1 of 4 / 1 + 1? of 4 / 1 + 1? of 4"
    # Two clips of 110 differ, twice, and 26 once; the pair without a difference has no say.
    one = 2 / 110
    small = (1.959964 + 0.841621) * np.sqrt(one * (1 - one) * 110 / 109)
    assert own[7] == whole[6] == " / ".join(f"{small / np.sqrt(n):.3g}" for n in (200, 1000, 3000))
    assert cells(lines, "class")[1:] == ["–", "`class_accuracy`", "–"]
    assert "in any clip" in " ".join(lines)
    at = lines.index("1 of 1 own ladders are out of order: `class_accuracy` (class).")
    assert lines[at + 1].startswith("In none of these is a step significantly better than the one before")


def test_a_step_that_is_significantly_better_is_named():
    rising = {"class_accuracy": hits(0.8, 0.7, 0.6, 0.7, 0.5), "kld_mini": {}}
    lines = written(rising)
    cells(lines, "`class_accuracy`", "class", "110", "no: 0.2 not worse, 0.2 significantly better")
    at = lines.index("1 of 1 own ladders are out of order: `class_accuracy` (class).")
    assert lines[at + 1] == "A step is significantly better than the one before in `class_accuracy` (class)."
    assert "All 1 own ladders are in order." in written({"class_accuracy": hits(0.9, 0.8, 0.7, 0.6, 0.5)})


def test_a_distance_is_measured_with_the_first_clips_and_never_extrapolated():
    found = {"fad_mini": rows("missing", "jitter")}
    lines = written(found)
    own = cells(lines, "`fad_mini`", "missing", "110", "yes")
    assert own[4:] == ["–"] * 4
    whole = [line for line in lines if line.startswith("| `fad_mini` | jitter |")]
    assert len(whole) == 1  # not its own: no line among the distances
    assert whole[0].endswith("| yes | – | – |")
    measured = cells(lines, "`fad_mini`", "missing", "100")
    metric, first = registry.load("metrics", "fad_mini"), IDS[:100]
    sides = [{clip: found["fad_mini"][name][clip] for clip in first} for name in steps_of("missing")]
    assert measured[3] == " ".join(f"{metric.pool(list(side.values())):.3f}" for side in sides)
    assert measured[4] == " ".join(f"{estimate.corrected_of(metric, side, SOURCES):.3f}" for side in sides)
    assert measured[5:7] == ["yes", "all"]
    assert not [line for line in lines if line.startswith("| `fad_mini` | missing | 200")]
    assert "fad_mini" not in next(line for line in lines if line.startswith("| missing |"))


def test_separate_lots_of_clips_show_how_far_differences_spread(monkeypatch):
    monkeypatch.setattr(ladder_page, "LOT", 25)
    found = {"fad_mini": rows("missing")}
    lots = cells(written(found), "`fad_mini`", "missing", "4")
    metric = registry.load("metrics", "fad_mini")
    ids = [IDS[start : start + 25] for start in (0, 25, 50, 75)]  # ten clips are left over
    steps = [found["fad_mini"][name] for name in steps_of("missing")]
    values = np.array([[metric.pool([step[clip] for clip in lot]) for step in steps] for lot in ids])
    drops = np.diff(values, axis=1)
    assert lots[3] == " ".join(f"{value:.3f}" for value in drops.mean(axis=0))
    assert lots[4] == " ".join(f"{value:.3f}" for value in drops.std(axis=0, ddof=1))
    errors = [rung(metric, [{c: step[c] for c in lot} for step in steps], SOURCES).errors for lot in ids]
    assert lots[5] == " ".join(f"{value:.3f}" for value in np.sqrt(np.mean(np.square(errors), axis=0)) / 5)
    monkeypatch.setattr(ladder_page, "LOT", 30)
    assert not [line for line in written(found) if line.startswith("| `fad_mini` | missing | 3 |")]


def test_a_page_without_distances_has_no_word_on_them_and_names_what_applies_to_nothing():
    text = "\n".join(written({"class_accuracy": hits(0.9, 0.8, 0.7, 0.6, 0.5), "event_f1": {}}))
    assert "## Distances between sets" not in text
    assert "`event_f1` applies to none of these clips." in text
    assert "`python x`: the true events of 110 test clips" in text
    assert "Strength correlation is" not in text


def test_strength_correlation_with_events_missing_is_told_from_the_values():
    values = (0.9, 0.4, 0.3, 0.2, 0.1)
    sides = [{clip: dict.fromkeys(("given", "measured"), np.array(1.0)) for clip in IDS} for _ in values]
    for side, value in zip(sides, values, strict=True):
        for stat in side.values():
            stat["both"] = np.array(value)
    text = "\n".join(written({"strength_correlation": dict(zip(steps_of("missing"), sides, strict=True))}))
    assert "is 0.400 with 5 % of the events missing and 0.900 with all" in text


def test_every_metric_has_ladders_of_its_own_that_exist():
    for name, ladders in OWN.items():
        assert registry.load("metrics", name).title
        assert ladders
        assert set(ladders) <= set(LADDERS)


def test_the_page_in_the_repository_has_the_words_of_the_script():
    text = COMMITTED.read_text(encoding="utf-8")
    found = re.search(r"`(python -m benchmarks.ladders [^`]*)`: the true events of (\d+) test clips", text)
    assert found is not None
    assert text.startswith(ladder_page.INTRO.format(command=found[1], clips=found[2]))
    for words in ("OWN_INTRO", "DISTANCE_INTRO", "LOTS_INTRO", "HEARD_INTRO", "ALL_INTRO"):
        assert getattr(ladder_page, words) in text
    own = text.split(ladder_page.OWN_INTRO)[1].split("## ")[0]
    out = re.findall(r"^\| (`\w+`) \| (\w+) \| \d+ \| no: ", own, re.MULTILINE)
    names = ", ".join(f"{name} ({ladder})" for name, ladder in out)
    assert f"{len(out)} of {sum(map(len, OWN.values()))} own ladders are out of order: {names}.\n" in own
    for name, ladders in OWN.items():
        for ladder in ladders:
            assert len([line for line in text.splitlines() if line.startswith(f"| `{name}` | {ladder} |")]) >= 2
