"""The command line: help, exit codes, dry runs."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys

import pytest

from foleybench import cli
from foleybench.errors import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_USAGE, FoleyError


def run_code(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", cli.command_names())
def test_every_command_has_help_with_an_example(name, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([name, "--help"])
    text = capsys.readouterr().out
    assert caught.value.code == 0
    assert f"example: foleybench {name}" in text


@pytest.mark.parametrize("name", cli.command_names())
def test_every_option_has_help(name):
    parser = argparse.ArgumentParser()
    importlib.import_module(f"foleybench.commands.{name}").add_arguments(parser)
    silent = [action.dest for action in parser._actions if action.help is None]
    assert silent == [], f"{name}: options without help"


def test_overview_lists_every_command(capsys):
    assert cli.main([]) == EXIT_USAGE
    text = capsys.readouterr().out
    for name in cli.command_names():
        assert name in text


def test_the_overview_has_a_line_for_each_command_also_before_a_verb(capsys):
    for words in (["--help"], ["--help", "eval"]):
        with pytest.raises(SystemExit):
            cli.main(words)
        text = " ".join(capsys.readouterr().out.split())
        for name in cli.command_names():
            assert importlib.import_module(f"foleybench.commands.{name}").HELP in text, name


def test_a_verb_that_comes_first_reads_no_other_commands_line(monkeypatch):
    """Fifteen sources would be parsed for it: 30 ms of every start."""
    monkeypatch.setattr(cli, "_help_line", lambda name: pytest.fail(f"the line of {name} was read"))
    assert hasattr(cli._parse(["list", "metrics"])[1], "run")


def test_help_imports_nothing_heavy():
    code = "import sys\nfrom foleybench import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
    code += "print([m for m in ('torch', 'numpy', 'av', 'pandas', 'matplotlib') if m in sys.modules], file=sys.stderr)"
    assert run_code(code).stderr.strip() == "[]"


def test_unknown_command_is_a_usage_error():
    with pytest.raises(SystemExit) as caught:
        cli.main(["evaluate"])
    assert caught.value.code == EXIT_USAGE


def test_unknown_model_ends_with_2_and_a_suggestion(clicks, tmp_path, capsys):
    code = cli.main(["eval", "--model", "foleyflo", "--data", str(clicks), "--work", str(tmp_path)])
    assert code == EXIT_USAGE
    assert "Did you mean 'foleyflow" in capsys.readouterr().err


def test_missing_manifest_ends_with_1(tmp_path, capsys):
    code = cli.main(["eval", "--audio", str(tmp_path), "--data", str(tmp_path / "no.manifest.jsonl")])
    assert code == EXIT_ERROR
    assert "no manifest at" in capsys.readouterr().err


def test_interruption_ends_with_130(monkeypatch, capsys):
    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr("foleybench.commands.doctor.run", interrupt)
    assert cli.main(["doctor"]) == EXIT_INTERRUPTED
    assert "goes on from here" in capsys.readouterr().err


def test_a_bug_is_not_dressed_up_as_a_user_error(monkeypatch):
    def bug(args):
        raise ZeroDivisionError

    monkeypatch.setattr("foleybench.commands.doctor.run", bug)
    with pytest.raises(ZeroDivisionError):
        cli.main(["doctor"])


def test_set_wants_name_and_value(clicks, tmp_path):
    code = cli.main(["train", "foleyflow", "--data", str(clicks), "--out", str(tmp_path), "--set", "steps"])
    assert code == EXIT_ERROR


@pytest.mark.parametrize(
    "words",
    [
        ["eval", "--audio", "nowhere", "--data", "x"],
        ["generate", "--model", "m", "--video", "v.mp4", "--out", "o"],
        ["train", "foleyflow", "--data", "x", "--out", "o"],
        ["demo"],
    ],
)
def test_dry_run_touches_nothing(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*words, "--dry-run"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_foley_errors_carry_their_exit_code():
    assert FoleyError("x").exit_code == EXIT_ERROR
