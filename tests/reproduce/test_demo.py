"""The plan of the main job: an order that works, commands that parse."""

from __future__ import annotations

from pathlib import Path

from foleybench import cli
from foleybench.reproduce import demo
from foleybench.runtime.command_plan import Step


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
