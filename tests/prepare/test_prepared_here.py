"""Clips that tests make in their own process are those that workers make."""

from __future__ import annotations

from pathlib import Path

from foleybench.prepare import plan
from foleybench.prepare.worker_pool import PoolSettings, Task, run_tasks
from tests.prepared_here import run_here


def test_both_tell_and_stage_the_same(deeds, options, tree, tmp_path: Path):
    (split,) = plan(deeds, options("ok,bad,twin,ok"), tmp_path / "plan")
    found = {}
    for name, run in (("workers", run_tasks), ("here", run_here)):
        tasks = [Task(item=item, folder=tmp_path / name) for item in split.items]
        (tmp_path / name).mkdir()
        told = {task.item.clip_id: status for task, status in run(PoolSettings(dataset=deeds), tasks)}
        found[name] = told, tree(tmp_path / name)
    assert list(found["workers"][0].values()) == ["ok", "no_audio", "ok", "ok"]
    assert found["here"] == found["workers"]
