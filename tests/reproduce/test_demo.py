"""The plan of the main job: an order that works, commands that parse."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from foleybench import cli
from foleybench.reproduce import demo
from foleybench.runtime.command_plan import Step
from foleybench.synthesis.splits import CorpusOptions
from foleybench.synthfoley import class_names
from foleybench.synthfoley.splits import split_specs


def the_plan(out: Path) -> list[Step]:
    return demo.demo_steps(out, jobs=2, seed=0, steps=None, limit=None)


def test_every_step_comes_after_what_it_needs(tmp_path):
    seen: set[str] = set()
    for step in the_plan(tmp_path):
        assert seen.issuperset(step.after), step.name
        seen.add(step.name)


def test_every_step_is_a_command_that_parses(tmp_path):
    for step in the_plan(tmp_path):
        _, args = cli._parse(step.words)
        assert hasattr(args, "run"), step.command


def test_each_class_has_as_many_clips(tmp_path):
    """The first clips of a split, as ``--limit`` takes them."""
    for split, n_clips in (("train", demo.N_TRAIN), ("test", demo.N_TEST)):
        labels = [spec.label for spec in split_specs(split, CorpusOptions())[:n_clips]]
        assert set(Counter(labels).values()) == {n_clips // len(class_names())}
    limits = [step.words[-1] for step in the_plan(tmp_path) if step.name.startswith("prepare")]
    assert limits == [str(demo.N_TEST), str(demo.N_TRAIN)]


def test_training_is_short_unless_asked_otherwise(tmp_path):
    for asked, expected in ((None, demo.STEPS), (40, 40)):
        plan = demo.demo_steps(tmp_path, jobs=2, seed=0, steps=asked, limit=None)
        trained = [step.words for step in plan if step.name.startswith("train-")]
        assert len(trained) == 5
        assert {words[words.index("--steps") + 1] for words in trained} == {str(expected)}


def test_one_alignment_stage_serves_those_who_have_one(tmp_path):
    """A flow without a condition refuses one, and need not wait for it."""
    plan = {step.name: step for step in the_plan(tmp_path)}
    given = {name for name, step in plan.items() if any(word.startswith("alignment=") for word in step.words)}
    assert given == {"train-foleyflow_static", "train-nearest"}
    assert plan["train-unconditional"].after == ("prepare-train",)


def needed_by(plan: dict[str, Step], name: str) -> set[str]:
    """Return the steps that a step waits for, by whatever way."""
    direct = set(plan[name].after)
    return direct.union(*(needed_by(plan, before) for before in direct))


def test_the_first_page_waits_for_nothing_that_is_trained(tmp_path):
    """And the last one for all: two at once would write the same files."""
    plan = {step.name: step for step in the_plan(tmp_path)}
    assert needed_by(plan, "first-page") == {"prepare", "eval-oracle"}
    assert needed_by(plan, "second-page") == {"prepare", "eval-oracle", "first-page", "eval-controls"}
    assert needed_by(plan, "leaderboard") == set(plan) - {"leaderboard"}
    assert plan["first-page"].words == plan["second-page"].words == plan["leaderboard"].words


def test_with_one_process_the_first_page_comes_before_the_long_preparation(tmp_path):
    """Ready steps begin in the order of the plan."""
    names = [step.name for step in the_plan(tmp_path)]
    assert names.index("first-page") < names.index("prepare-train")


def test_what_is_trained_has_its_data_first(tmp_path):
    plan = {step.name: step for step in the_plan(tmp_path)}
    assert all({"prepare", "prepare-train"} <= needed_by(plan, name) for name in plan if name.startswith("train-"))
