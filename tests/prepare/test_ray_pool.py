"""A Ray cluster of two nodes on this machine, one of which is killed on the way: the same bytes as the local pool."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from foleybench.errors import FoleyError
from foleybench.prepare import prepare
from foleybench.prepare.ray_pool import BATCH, Batch, make_batch
from foleybench.prepare.tool_versions import tool_versions
from foleybench.prepare.worker_pool import PoolSettings

# In a process of its own: Ray's threads and sockets outlive what pytest allows.
ON_RAY = """
import argparse, json, os, sys, threading, time
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from foleybench.prepare import prepare
from foleybench.runtime.ray_map import connected, ray_map

deeds, out, asked, log = sys.argv[1:5]
memory = 80 * 1024**2
begun = time.monotonic()
size = {"num_cpus": 1, "object_store_memory": memory}
# A node that does not answer is gone after five times this, 15 s by default.
asked_every = {"health_check_period_ms": 500}
cluster = Cluster(
    initialize_head=True, head_node_args={**size, "include_dashboard": False, "_system_config": asked_every}
)
second = cluster.add_node(**size)
options = argparse.Namespace(deeds=asked, splits="train,test", flavour="plain", log=log)
report = {"start_s": time.monotonic() - begun}


def negative(number):
    return -number


def deadly(number):
    os._exit(number)


def broken(number):
    raise TypeError("no such number")


def kill_one():
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not Path(log).exists() or len(Path(log).read_text().splitlines()) < 8):
        time.sleep(0.05)
    report["made_at_kill"] = len(Path(log).read_text().splitlines())
    cluster.remove_node(second, allow_graceful=False)
    report["killed_s"] = time.monotonic() - started


started = time.monotonic()
killer = threading.Thread(target=kill_one)
killer.start()
prepare(deeds, options, Path(out), engine="ray", ray_address=cluster.address, time_limit_s=20)
report["seconds"] = time.monotonic() - started
killer.join()
with connected(cluster.address):
    noticed_by = time.monotonic() + 60
    while sum(node["Alive"] for node in ray.nodes()) > 1 and time.monotonic() < noticed_by:
        time.sleep(0.2)
    report["alive"] = sum(node["Alive"] for node in ray.nodes())
    report["ordered"] = [done.result for done in ray_map(negative, range(9), ordered=True)]
    report["lost"] = [done.lost for done in ray_map(deadly, [3], tries=2)]
    try:
        list(ray_map(broken, [5]))
    except TypeError as error:
        report["raised"] = str(error)
cluster.shutdown()
print(json.dumps(report))
"""


@pytest.mark.slow
def test_a_killed_node_changes_no_byte(deeds, options, tree, tmp_path: Path):
    pytest.importorskip("ray")
    deeds_list = ",".join(["slow", "ok", "bad", "slow", "slow", "refused", "ok"] * 6 + ["crash"])
    log = tmp_path / "log"
    command = [sys.executable, "-c", ON_RAY, deeds, str(tmp_path / "ray"), deeds_list, str(log)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    n_made = len(log.read_text().splitlines())
    prepare(deeds, options(deeds_list, splits="train,test", log=str(log)), tmp_path / "local", jobs=2, time_limit_s=20)
    assert tree(tmp_path / "ray") == tree(tmp_path / "local")
    # It was killed on the way, and what was lost with it was made again.
    assert report["alive"] == 1
    assert report["made_at_kill"] < n_made
    assert report["killed_s"] < report["seconds"]
    # (A node that dies between two clips has lost none that was begun.)
    assert n_made >= 2 * (6 * 6 + 2)
    assert report["ordered"] == [-number for number in range(9)]
    assert "died" in report["lost"][0]
    assert report["raised"] == "no such number"


def test_a_batch_is_what_the_local_pool_makes(deeds, options, tmp_path: Path):
    from foleybench.prepare import plan

    (split,) = plan(deeds, options("ok,bad,crash"), tmp_path / "plan")
    settings = PoolSettings(dataset=deeds, time_limit_s=20.0)
    made = make_batch(Batch(settings, tool_versions(), split.items))
    assert [one.status for one in made] == ["ok", "no_audio", "crashed"]
    assert sorted(made[0].files) == [f"clip000_000000.{field}" for field in ("flac", "json", "mp4")]
    assert list(made[1].files) == ["clip001_000000.json"]
    assert BATCH > 3


def test_other_versions_on_a_node_are_refused(deeds, options, tmp_path: Path):
    batch = Batch(PoolSettings(dataset=deeds), {**tool_versions(), "pyav": "0.1"}, ())
    with pytest.raises(FoleyError, match=r"0\.1.*same versions"):
        make_batch(batch)


def test_an_unknown_engine_is_named(deeds, options, tmp_path: Path):
    with pytest.raises(FoleyError, match="no engine 'slurm'"):
        prepare(deeds, options(), tmp_path / "out", engine="slurm")
    assert not list((tmp_path / "out").glob("*.jsonl"))
