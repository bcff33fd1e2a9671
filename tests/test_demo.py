"""The plan of the main job: an order that works, one failure ends it, done steps are not done again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from foleybench import cli, demo
from foleybench.demo import Step


def the_plan(out: Path) -> list[Step]:
    return demo.plan(out, jobs=2, seed=0, steps=None, limit=None)


def test_every_step_comes_after_what_it_needs(tmp_path):
    seen: set[str] = set()
    for step in the_plan(tmp_path):
        assert seen.issuperset(step.after), step.name
        seen.add(step.name)


def test_every_step_is_a_command_that_parses(tmp_path):
    for step in the_plan(tmp_path):
        _, args = cli._parse(step.words)
        assert hasattr(args, "run"), step.command


@pytest.fixture
def scripted(monkeypatch, tmp_path):
    """Run Python one-liners in place of foleybench commands."""

    def start(step, out):
        import subprocess

        log = out / "logs" / f"{step.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as handle:
            return subprocess.Popen([sys.executable, "-c", *step.words], stdout=handle, stderr=handle)

    monkeypatch.setattr(demo, "_start", start)
    return tmp_path


def test_steps_wait_for_what_they_need(scripted):
    note = scripted / "note"
    steps = [
        Step("a", (f"import time; time.sleep(0.5); open({str(note)!r}, 'w').write('a')",)),
        Step("b", (f"open({str(note)!r}).read()",), ("a",)),
    ]
    assert demo._run_all(steps, scripted, jobs=2) == ""
    assert (scripted / "done" / "b").is_file()


def test_a_failed_step_ends_the_demo_and_is_named(scripted, capsys):
    steps = [Step("bad", ("raise SystemExit('no luck')",)), Step("never", ("pass",), ("bad",))]
    assert demo._run_all(steps, scripted, jobs=2) == "bad"
    assert "no luck" in capsys.readouterr().err
    assert not (scripted / "done" / "never").exists()


def test_done_steps_are_not_done_again_unless_the_command_changed(scripted):
    counter = scripted / "count"
    step = Step("a", (f"open({str(counter)!r}, 'a').write('x')",))
    for _ in range(2):
        assert demo._run_all([step], scripted, jobs=1) == ""
    assert counter.read_text() == "x"
    changed = Step("a", (step.words[0] + " ",))
    assert demo._run_all([changed], scripted, jobs=1) == ""
    assert counter.read_text() == "xx"


def test_partial_scores_do_not_end_the_demo(scripted):
    assert demo._run_all([Step("a", ("raise SystemExit(3)",))], scripted, jobs=1) == ""
