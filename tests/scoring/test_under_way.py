"""A clip that crashes the process of a run: the next run scores the others and names it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from foleybench.media.audio import write_wav
from foleybench.scoring.scorer import ClipToScore
from foleybench.scoring.under_way import UnderWay
from foleybench.shards.dataset import ShardDataset

# `eval` with a decoder that crashes on one file, as a bug of a native library does.
CRASHING = """
import ctypes, sys
from pathlib import Path
from foleybench.media import audio
from foleybench.scoring import admit

good = admit.hear

def hear(path, *args, **more):
    if path.name.startswith(sys.argv[1]):
        ctypes.string_at(0)
    return good(path, *args, **more)

admit.hear = hear
from foleybench.cli import main
if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))
"""


def clips(*names: str) -> list[ClipToScore]:
    return [ClipToScore(name, Path(f"/audio/{name}.wav"), None) for name in names]


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def leave_note(cache: Path, process: int, text: str) -> Path:
    path = cache / "under_way" / f"{process}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_note_of_a_process_that_is_gone_names_its_clips(tmp_path: Path):
    note = leave_note(tmp_path, dead_process(), '["/audio/b.wav"]')
    found = UnderWay(tmp_path)
    assert [found.suspect(clips(*names)) for names in ("a", "b", "ab", "")] == [False, True, True, False]
    assert not note.exists()
    assert not UnderWay(tmp_path).suspect(clips("b"))  # told once


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "[1, null]", "3"])
def test_a_note_that_is_none_says_nothing(tmp_path: Path, text: str):
    leave_note(tmp_path, dead_process(), text)
    assert not UnderWay(tmp_path).suspect(clips("a"))


def test_the_note_of_a_process_that_lives_is_left_alone(tmp_path: Path):
    note = leave_note(tmp_path, os.getppid(), '["/audio/a.wav"]')
    assert not UnderWay(tmp_path).suspect(clips("a"))
    assert note.exists()


def test_a_run_that_ends_leaves_no_note(tmp_path: Path):
    one = UnderWay(tmp_path)
    one.begin(clips("a", "b"))
    (note,) = (tmp_path / "under_way").iterdir()
    assert json.loads(note.read_text()) == ["/audio/a.wav", "/audio/b.wav"]
    one.end()
    assert not note.exists()
    UnderWay(None).begin(clips("a"))  # without a cache there is no place for one


@pytest.mark.slow
def test_d_a_crash_with_one_job_is_named_by_the_next_run(clicks, tmp_path: Path):
    """The first run dies with its decoder; the same command again scores five of six clips and names the sixth."""
    audio = tmp_path / "audio"
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(audio / f"{clip.clip_id}.wav", clip.audio[::-1].copy(), clip.rate_hz)
    bad = ShardDataset(clicks).clip_ids[2]
    places = ["--out", str(tmp_path / "results"), "--cache", str(tmp_path / "cache"), "--name", "x", "--jobs", "1"]
    words = ["eval", "--audio", str(audio), "--data", str(clicks), "--metric", "level_difference", *places]
    words += ["--device", "cpu"]  # `auto` imports torch, which nothing here needs
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([".", *filter(None, sys.path)])}
    script = tmp_path / "crashing.py"
    script.write_text(CRASHING)

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(script), bad, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    assert run().returncode < 0
    # Workers import this script too, under another name, and so crash on the same file.
    done = run()
    assert done.returncode == 3, done.stderr[-2000:]
    result = json.loads(next((tmp_path / "results").rglob("*.json")).read_text())
    assert [(problem["clip_id"], problem["kind"]) for problem in result["problems"]] == [(bad, "crashed")]
    assert result["dataset"]["n_scored"] == 5
