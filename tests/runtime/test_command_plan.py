"""Running a plan: steps wait, one failure ends it, done steps are not done again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from foleybench.runtime import command_plan as runner
from foleybench.runtime.command_plan import Step, run_steps


@pytest.fixture
def scripted(monkeypatch, tmp_path):
    """Run Python one-liners in place of foleybench commands."""

    def start(step, out):
        import subprocess

        log = out / "logs" / f"{step.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as handle:
            return subprocess.Popen([sys.executable, "-c", *step.words], stdout=handle, stderr=handle)

    monkeypatch.setattr(runner, "_start", start)
    return tmp_path


def test_steps_wait_for_what_they_need(scripted):
    note = scripted / "note"
    steps = [
        Step("a", (f"import time; time.sleep(0.5); open({str(note)!r}, 'w').write('a')",)),
        Step("b", (f"open({str(note)!r}).read()",), ("a",)),
    ]
    assert run_steps(steps, scripted, jobs=2) == ""
    assert (scripted / "done" / "b").is_file()


def test_a_timed_step_is_run_beside_none_that_comes_before(scripted):
    """``c`` waits for the slow one and for what is not in the plan no longer; it needs nothing that they make."""
    note = scripted / "note"
    line = f"import time; f = open({str(note)!r}, 'a'); f.write(%r); f.flush(); time.sleep(0.4); f.write(%r)"
    steps = [Step(name, (line % (name, name.upper()),)) for name in "ab"]
    for name, behind in (("c", "ab"), ("d", "abc")):
        steps.append(Step(name, (line % (name, name.upper()),), behind=("gone", *behind)))
    assert run_steps(steps, scripted, jobs=4) == ""
    assert note.read_text().endswith("cCdD")


def test_a_failed_step_ends_the_plan_and_is_named(scripted, capsys):
    steps = [Step("bad", ("raise SystemExit('no luck')",)), Step("never", ("pass",), ("bad",))]
    assert run_steps(steps, scripted, jobs=2) == "bad"
    assert "no luck" in capsys.readouterr().err
    assert not (scripted / "done" / "never").exists()


def test_done_steps_are_not_done_again_unless_the_command_changed(scripted):
    counter = scripted / "count"
    step = Step("a", (f"open({str(counter)!r}, 'a').write('x')",))
    for _ in range(2):
        assert run_steps([step], scripted, jobs=1) == ""
    assert counter.read_text() == "x"
    changed = Step("a", (step.words[0] + " ",))
    assert run_steps([changed], scripted, jobs=1) == ""
    assert counter.read_text() == "xx"


def test_a_step_that_has_lost_what_it_made_is_run_again(scripted):
    counter = scripted / "count"
    words = (f"open({str(counter)!r}, 'a').write('x')",)
    for step in (Step("a", words), Step("a", words, again=True)):
        assert run_steps([step], scripted, jobs=1) == ""
    assert counter.read_text() == "xx"


def test_a_step_has_its_own_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", "elsewhere")
    seen = {}
    monkeypatch.setattr(subprocess, "Popen", lambda words, env, **more: seen.update(env))
    step = Step("a", ("list",), environment=(("FOLEYBENCH_WEIGHTS", "my folder"),))
    runner._start(step, tmp_path)
    assert seen["FOLEYBENCH_WEIGHTS"] == "my folder"
    assert seen["PATH"]
    assert step.command == "FOLEYBENCH_WEIGHTS='my folder' foleybench list"


def test_partial_scores_do_not_end_the_plan(scripted):
    assert run_steps([Step("a", ("raise SystemExit(3)",))], scripted, jobs=1) == ""


def test_a_plan_that_is_told_to_end_ends_its_steps(tmp_path):
    """SIGTERM to the plan: its step is gone too, so that a second try does not write into the same folder."""
    script = (
        "import subprocess, sys, pathlib\n"
        "from foleybench.runtime import command_plan\n"
        "def start(step, out):\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "    print(child.pid, flush=True)\n"
        "    return child\n"
        "command_plan._start = start\n"
        "command_plan.run_steps([command_plan.Step('a', ('x',))], pathlib.Path(sys.argv[1]), 1)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as plan:
        assert plan.stdout is not None
        step = int(plan.stdout.readline())
        plan.terminate()
        plan.wait(timeout=20)
    assert not Path(f"/proc/{step}").exists()
