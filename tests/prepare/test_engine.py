"""The run as a whole: every clip ends with a status, every way of being stopped gives the same bytes."""

from __future__ import annotations

import contextlib
import functools
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import foleybench.prepare
from foleybench.errors import FoleyError
from foleybench.prepare import pack, plan, prepare
from foleybench.prepare.verify import ShardProblem, verify
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest

RUN = """
import argparse, signal, sys
from pathlib import Path
# Where the tests run in the background of a shell, its jobs are born deaf to this signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
from foleybench.errors import FoleyError
from foleybench.prepare import prepare
options = argparse.Namespace(deeds=sys.argv[3], splits="train,test", flavour="plain", log=sys.argv[4])
try:
    prepare(sys.argv[1], options, Path(sys.argv[2]), jobs=3, time_limit_s=20)
except FoleyError as error:
    sys.exit(str(error))
except KeyboardInterrupt:
    sys.exit(130)
"""


def statuses(path: Path) -> list[str]:
    return [entry.status for entry in read_manifest(path).entries]


@pytest.mark.slow
def test_every_clip_ends_with_a_status(deeds, options, tmp_path: Path):
    asked = "ok,bad,hang,crash,bug,exit,greedy,chatty,refused,ok"
    made = prepare(deeds, options(asked), tmp_path / "out", jobs=3, time_limit_s=2.0, memory_mb=1024)
    entries = read_manifest(made["test"]).entries
    assert [entry.status for entry in entries] == [
        *("ok", "no_audio", "timeout", "crashed", "crashed", "crashed", "out_of_memory", "ok", "duplicate_id", "ok")
    ]
    reasons = [entry.reason for entry in entries]
    assert reasons[1] == "has no audio"
    assert reasons[2] == "not done after 2 s"
    assert "SIGSEGV" in reasons[3]
    assert reasons[4].endswith("ValueError: a bug of ours")
    assert "exit code 5" in reasons[5]
    assert [entry.clip_id for entry in entries] == [f"clip{k:03d}_000000" for k in range(10)]
    data = ShardDataset(made["test"])
    assert data.verify() == []
    assert data.clip_ids == ["clip000_000000", "clip007_000000", "clip009_000000"]
    assert not (tmp_path / "out" / ".staging").exists()


def test_a_hung_worker_is_killed_in_time(deeds, options, tmp_path: Path):
    started = time.monotonic()
    prepare(deeds, options("hang,ok"), tmp_path / "out", jobs=1, time_limit_s=0.5)
    assert time.monotonic() - started < 20


def test_bytes_do_not_depend_on_the_number_of_workers(deeds, options, tree, tmp_path: Path):
    asked = options("slow,ok,bad,slow,ok,ok,bad,ok", splits="train,test")
    prepare(deeds, asked, tmp_path / "one", jobs=1)
    prepare(deeds, asked, tmp_path / "many", jobs=4)
    assert tree(tmp_path / "one") == tree(tmp_path / "many")


def start(deeds: str, out: Path, asked: str, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", RUN, deeds, str(out), asked, str(log)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for_workers(run: subprocess.Popen[bytes], log: Path, n: int) -> list[int]:
    """Wait until the first clip is in work and all workers have started; return their ids."""
    deadline_s, children = time.monotonic() + 60.0, Path(f"/proc/{run.pid}/task/{run.pid}/children")
    while not (log.exists() and len(children.read_text().split()) >= n) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return [int(pid) for pid in children.read_text().split()]


def still_there(pids: list[int]) -> list[int]:
    """Return the processes that are still there after a moment; one that waits to be collected is gone."""
    deadline_s = time.monotonic() + 5.0  # On a busy machine a killed process takes a while to get its last turn.
    while (found := [pid for pid in pids if _runs(pid)]) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return found


def _runs(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_is_byte_identical(deeds, options, tree, tmp_path: Path):
    asked = ",".join(["slow", "ok", "bad", "slow", "slow", "ok"] * 8)
    log = tmp_path / "log"
    prepare(deeds, options(asked, splits="train,test", log=str(log)), tmp_path / "whole", jobs=3)
    log.unlink()
    rng = random.Random(4)
    for _ in range(5):
        run = start(deeds, tmp_path / "broken", asked, log)
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(rng.uniform(0.3, 1.2))
        run.kill()
        run.communicate()
    run = start(deeds, tmp_path / "broken", asked, log)
    assert run.wait(60) == 0
    run.communicate()
    assert tree(tmp_path / "broken") == tree(tmp_path / "whole")
    # Nothing was made again without need: at most the clips in work at each of the five kills.
    assert 96 <= len(log.read_text().splitlines()) <= 96 + 5 * 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    ["pack.write_shard", "pack.write_atomically", "split_record.write_atomically", "split_record.Staging.remove"],
)
def test_killed_while_packing(deeds, options, tree, tmp_path: Path, monkeypatch, moment: str):
    asked = options("ok,ok,bad,ok,ok", splits="train,test")
    prepare(deeds, asked, tmp_path / "whole")
    monkeypatch.setattr(pack, "MAX_CLIPS", 2)
    prepare(deeds, asked, tmp_path / "whole", force=True)

    class Stopped(BaseException):
        """Stands for the end of the process: nothing may handle it."""

    for stop_at in range(1, 5):
        calls = 0

        def stopping(*args, original, stop_at=stop_at, **kwargs):
            nonlocal calls
            calls += 1
            if calls == stop_at:
                raise Stopped
            return original(*args, **kwargs)

        out = tmp_path / f"broken{stop_at}"
        with monkeypatch.context() as patch:
            *owners, name = moment.split(".")
            owner = functools.reduce(getattr, owners, foleybench.prepare)
            original = getattr(owner, name)
            patch.setattr(owner, name, lambda *a, _o=original, **k: stopping(*a, original=_o, **k))
            with contextlib.suppress(Stopped):
                prepare(deeds, asked, out)
        prepare(deeds, asked, out)
        assert tree(out) == tree(tmp_path / "whole")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_no_worker_survives_the_run(deeds, tmp_path: Path, sent: signal.Signals, code: int):
    run = start(deeds, tmp_path / "out", "hang,hang,hang", tmp_path / "log")
    workers = wait_for_workers(run, tmp_path / "log", 3)
    assert len(workers) == 3
    run.send_signal(sent)
    assert run.wait(30) == code
    run.communicate()
    assert still_there(workers) == []


@pytest.mark.usefixtures("workers_here")
def test_a_finished_run_is_left_alone(deeds, options, tmp_path: Path):
    asked = options("ok,bad", log=str(tmp_path / "log"))
    made = prepare(deeds, asked, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert prepare(deeds, asked, tmp_path / "out") == made
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    assert len((tmp_path / "log").read_text().splitlines()) == 2


@pytest.mark.usefixtures("workers_here")
@pytest.mark.parametrize(
    ("changed", "what"),
    [({"flavour": "other"}, "profile"), ({"deeds": "ok,ok"}, "n_items"), ({"deeds": "ok,ok,slow"}, "items_sha256")],
)
@pytest.mark.parametrize("finished", [True, False])
def test_another_recipe_is_refused(deeds, options, tree, tmp_path: Path, changed: dict, what: str, finished: bool):
    out = tmp_path / "out"
    prepare(deeds, options(), out)
    if not finished:
        for split in plan(deeds, options(), tmp_path / "fresh"):
            split.staging.folder = out / ".staging" / "test"
            split.staging.open()
        for path in [*out.glob("*.tar"), *out.glob("*.jsonl")]:
            path.unlink()
    before = tree(out)
    with pytest.raises(FoleyError, match=rf"{what}\S* was .*--force"):
        prepare(deeds, options(**changed), out)
    assert tree(out) == before
    made = prepare(deeds, options(**changed), out, force=True)
    prepare(deeds, options(**changed), tmp_path / "new")
    assert tree(out) == tree(tmp_path / "new")
    assert set(statuses(made["test"])) == {"ok"}


@pytest.mark.usefixtures("workers_here")
def test_shards_that_nobody_knows_are_not_overwritten(deeds, options, tmp_path: Path):
    out = tmp_path / "out"
    made = prepare(deeds, options(), out)
    made["test"].write_text(made["test"].read_text().replace("made 1", "made up"))
    with pytest.raises(FoleyError, match="was changed"):
        prepare(deeds, options(), out)


@pytest.mark.usefixtures("workers_here")
def test_a_manifest_without_shards_gets_them(deeds, options, tree, tmp_path: Path):
    prepare(deeds, options(), tmp_path / "whole")
    prepare(deeds, options(), tmp_path / "out")
    (tmp_path / "out" / "test-000000.tar").unlink()
    (tmp_path / "out" / ".prepared" / "test.json").unlink()
    prepare(deeds, options(), tmp_path / "out")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


@pytest.mark.usefixtures("workers_here")
def test_a_lost_shard_is_made_again_and_nothing_else(deeds, options, tree, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(pack, "MAX_CLIPS", 2)
    log = tmp_path / "log"
    asked = options("ok,bad,ok,ok,ok", log=str(log))
    prepare(deeds, asked, tmp_path / "whole")
    prepare(deeds, asked, tmp_path / "out")
    log.unlink()
    (tmp_path / "out" / "test-000001.tar").unlink()
    (split,) = plan(deeds, asked, tmp_path / "out")
    assert (split.complete, split.n_staged) == (False, 3)
    prepare(deeds, asked, tmp_path / "out")
    assert sorted(log.read_text().splitlines()) == ["test/clip002_000000", "test/clip003_000000"]
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_transient_failures_are_kept_until_retry(deeds, options, tree, tmp_path: Path, monkeypatch):
    flag, log, out = tmp_path / "flag", tmp_path / "log", tmp_path / "out"
    monkeypatch.setattr(pack, "MAX_CLIPS", 4)
    asked = options(f"ok,bad,unless:{flag},ok,ok", log=str(log))
    made = prepare(deeds, asked, out)
    assert statuses(made["test"]) == ["ok", "no_audio", "crashed", "ok", "ok"]
    # The clip that took its worker with it was tried twice; nothing else was.
    assert sorted(log.read_text().splitlines()) == sorted([f"test/clip{k:03d}_000000" for k in (0, 1, 2, 2, 3, 4)])
    flag.touch()
    prepare(deeds, asked, out)
    assert statuses(made["test"])[2] == "crashed"
    log.unlink()
    untouched = (out / "test-000001.tar").stat().st_mtime_ns
    prepare(deeds, asked, out, retry=True)
    assert (out / "test-000001.tar").stat().st_mtime_ns == untouched
    assert statuses(made["test"]) == ["ok", "no_audio", "ok", "ok", "ok"]
    assert log.read_text().splitlines() == ["test/clip002_000000"]
    prepare(deeds, asked, tmp_path / "whole")
    assert tree(out) == tree(tmp_path / "whole")


@pytest.mark.usefixtures("workers_here")
def test_shards_hold_a_fixed_run_of_what_was_asked_for(deeds, options, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(pack, "MAX_CLIPS", 2)
    made = prepare(deeds, options("bad,ok,ok,ok,bad,refused,ok"), tmp_path / "out")
    entries = read_manifest(made["test"]).entries
    # Shard 2 has no usable clip: there is none, and its number stays free.
    assert [entry.shard and int(entry.shard[5:11]) for entry in entries] == [None, 0, 1, 1, None, None, 3]
    assert ShardDataset(made["test"]).verify() == []
    assert len(list((tmp_path / "out").glob("*.tar"))) == 3
    monkeypatch.setattr(pack, "MAX_CLIPS", 100)
    prepare(deeds, options("ok"), tmp_path / "out", force=True)
    assert [path.name for path in sorted((tmp_path / "out").glob("*.tar"))] == ["test-000000.tar"]


@pytest.mark.parametrize(("clip_s", "n"), [(1.0, 512), (10.0, 512), (20.0, 256), (3600.0, 1), (1e6, 1)])
def test_shards_of_long_clips_hold_fewer(clip_s: float, n: int):
    assert pack.clips_per_shard(clip_s) == n


def test_a_shard_is_packed_as_soon_as_its_clips_are_finished(deeds, options, tree, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(pack, "MAX_CLIPS", 2)
    out = tmp_path / "out"
    asked = options("ok,bad,ok,ok,refused,ok,hang")
    seen = {}

    class Stopped(BaseException):
        """Stands for the end of the process."""

    def stopping(*args):
        seen.update(tree(out))
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("foleybench.prepare.worker_pool._bury", stopping)
        with pytest.raises(Stopped):
            prepare(deeds, asked, out, jobs=1, time_limit_s=1.0)
    # Three shards are whole and their staged clips gone before the last clip has ended.
    assert {name for name in seen if name.endswith(".tar")} == {f"test-00000{k}.tar" for k in range(3)}
    assert not [name for name in seen if name.endswith((".mp4", ".flac"))]
    (split,) = plan(deeds, asked, out)
    assert (split.complete, split.n_staged, len(split.wanted)) == (False, 5, 6)
    prepare(deeds, asked, out, jobs=2, time_limit_s=0.5)
    prepare(deeds, asked, tmp_path / "whole", jobs=2, time_limit_s=0.5)
    assert tree(out) == tree(tmp_path / "whole")


@pytest.mark.usefixtures("workers_here")
def test_a_damaged_staged_file_is_made_again(deeds, options, tree, tmp_path: Path):
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("foleybench.prepare.pack_queue.pack", _stopped)
        with pytest.raises(KeyboardInterrupt):
            prepare(deeds, options(), out)
    staged = out / ".staging" / "test" / "000000" / "clip001_000000.flac"
    staged.write_bytes(staged.read_bytes()[:10])
    with pytest.raises(FoleyError, match=r"clip001_000000.*again"):
        prepare(deeds, options(), out)
    prepare(deeds, options(), out)
    prepare(deeds, options(), tmp_path / "whole")
    assert tree(out) == tree(tmp_path / "whole")


@pytest.mark.slow
def test_marks_of_copies_stay_out_of_the_clips(deeds, options, tree, tmp_path: Path):
    flag, out = tmp_path / "flag", tmp_path / "out"
    asked = options(f"twin,twin,unless:{flag},twin")
    made = prepare(deeds, asked, out)
    assert [entry.facts.get("flags") for entry in read_manifest(made["test"]).entries] == [
        [],
        ["duplicate"],
        None,
        ["duplicate"],
    ]
    assert not list(verify(made["test"], fast=True))[1:]
    assert [one for one in verify(made["test"]) if isinstance(one, ShardProblem)] == []
    flag.touch()
    prepare(deeds, asked, out, retry=True)
    prepare(deeds, asked, tmp_path / "whole")
    assert tree(out) == tree(tmp_path / "whole")


def _stopped(*args: object) -> None:
    raise KeyboardInterrupt


def test_waiting_for_a_turn_is_not_hanging(deeds, options, tmp_path: Path):
    made = prepare(deeds, options("waits,hang"), tmp_path / "out", jobs=2, time_limit_s=2.0)
    assert statuses(made["test"]) == ["ok", "timeout"]


def test_two_runs_do_not_work_on_one_folder(deeds, options, tmp_path: Path):
    run = start(deeds, tmp_path / "out", "hang,hang", tmp_path / "log")
    try:
        wait_for_workers(run, tmp_path / "log", 3)
        with pytest.raises(FoleyError, match="another"):
            prepare(deeds, options(), tmp_path / "out")
    finally:
        run.kill()
        run.communicate()


def test_a_plan_touches_nothing(deeds, options, tmp_path: Path):
    splits = plan(deeds, options("ok,refused,ok", splits="train,test"), tmp_path / "out", limit=2)
    assert [(split.split, len(split.items), len(split.wanted), split.n_staged) for split in splits] == [
        ("train", 2, 1, 0),
        ("test", 2, 1, 0),
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("workers_here")
def test_limit_takes_the_first(deeds, options, tmp_path: Path):
    made = prepare(deeds, options("ok,bad,ok", splits="train,test"), tmp_path / "out", limit=2)
    assert [statuses(path) for path in made.values()] == [["ok", "no_audio"]] * 2
