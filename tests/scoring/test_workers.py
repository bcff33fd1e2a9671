"""Clips scored by several processes: the same rows as by one, and a death is told."""

import dataclasses
import json
import os
import subprocess
import sys

import pytest

from foleybench.errors import FoleyError
from foleybench.media.audio import write_wav
from foleybench.scoring import scorer
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.scoring.scorer import ClipToScore, Scorer, ScorerRecipe
from foleybench.scoring.workers import score_clips
from foleybench.shards.dataset import ShardDataset
from tests.scoring.test_evaluate import MODEL


@pytest.fixture(scope="module")
def scored_folder(clicks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("audio")
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(folder / f"{clip.clip_id}.wav", clip.audio[::-1].copy(), clip.rate_hz)
    return folder


def request(clicks, audio, **more):
    return EvalRequest(data=clicks, audio=audio, protocol="signal", model=MODEL, resamples=50, **more)


@pytest.mark.slow
def test_several_processes_give_the_bits_of_one(clicks, scored_folder, tmp_path, monkeypatch):
    one, rows = evaluate(request(clicks, scored_folder))
    monkeypatch.setattr(scorer, "CHUNK", 2)
    many, same_rows = evaluate(request(clicks, scored_folder, jobs=2, cache=tmp_path / "cache"))
    assert (many["metrics"], many["problems"]) == (one["metrics"], one["problems"])
    assert same_rows == rows
    again, _ = evaluate(request(clicks, scored_folder, jobs=1, cache=tmp_path / "cache"))
    assert again["metrics"] == one["metrics"]


class Deadly(ScorerRecipe):
    """Ends the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (9,)


@pytest.mark.slow
def test_a_worker_that_dies_is_told_with_its_clips(clicks, scored_folder, monkeypatch):
    monkeypatch.setattr(scorer, "CHUNK", 3)
    wanted = [ClipToScore(i, scored_folder / f"{i}.wav", None) for i in ShardDataset(clicks).clip_ids]
    with pytest.raises(FoleyError, match=f"died at or before clips {wanted[0].clip_id} to {wanted[2].clip_id}"):
        list(score_clips(Deadly(data=clicks, protocol="signal", metrics=("logmel_distance",)), wanted, jobs=2))


class DeadlyClip(ClipToScore):
    """Ends the process that unpickles it, as a file would that kills a decoder."""

    def __reduce__(self):
        return os._exit, (9,)


@pytest.mark.slow
def test_d_one_clip_that_kills_its_process_is_named_and_the_others_are_scored(clicks, scored_folder, monkeypatch):
    """D, by kind: one bad clip never ends a run, nor do two that do not follow each other."""
    monkeypatch.setattr(scorer, "CHUNK", 2)
    ids = ShardDataset(clicks).clip_ids
    kinds = [DeadlyClip if k in (1, 4) else ClipToScore for k in range(len(ids))]
    wanted = [kind(i, scored_folder / f"{i}.wav", None) for kind, i in zip(kinds, ids, strict=True)]
    recipe = ScorerRecipe(data=clicks, protocol="signal", metrics=("level_difference",))
    scored = list(score_clips(recipe, wanted, jobs=2))
    assert [clip.row["clip_id"] for clip in scored] == ids
    assert [bool(clip.row["stats"]) for clip in scored] == [k not in (1, 4) for k in range(len(ids))]
    assert [[(p.clip_id, p.kind) for p in clip.problems] for clip in scored] == [
        [(i, "crashed")] if k in (1, 4) else [] for k, i in enumerate(ids)
    ]
    alone = [Scorer(recipe)((clip,))[0] for clip in wanted]
    assert [clip.row for k, clip in enumerate(scored) if k not in (1, 4)] == [
        clip.row for k, clip in enumerate(alone) if k not in (1, 4)
    ]


def test_pictures_and_gpus_have_chunks_of_their_own(clicks):
    recipe = ScorerRecipe(data=clicks, protocol="signal", metrics=("logmel_distance",))
    assert Scorer(recipe).chunk == scorer.CHUNK
    assert Scorer(dataclasses.replace(recipe, device="cuda")).chunk == scorer.CHUNK_ON_GPU
    assert Scorer(dataclasses.replace(recipe, metrics=("align_acc_mini",))).chunk == scorer.CHUNK_WITH_PICTURES


ON_RAY = """
import json, sys
from pathlib import Path
import ray
from foleybench.scoring import scorer
from foleybench.scoring.evaluate import EvalRequest, evaluate

# A cluster of its own: tests of other files have theirs at the same time.
ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=80 * 1024**2, log_to_driver=False)
scorer.CHUNK = 2
model = json.loads(sys.argv[3])
request = EvalRequest(
    data=Path(sys.argv[1]), audio=Path(sys.argv[2]), protocol="signal", model=model, resamples=50, engine="ray"
)
result, rows = evaluate(request)
print(json.dumps([result["metrics"], list(rows)]))
"""


@pytest.mark.slow
def test_a_ray_cluster_gives_the_bits_of_one_process(clicks, scored_folder):
    pytest.importorskip("ray")
    # In a process of its own: Ray's threads and sockets outlive what pytest allows.
    words = [sys.executable, "-c", ON_RAY, str(clicks), str(scored_folder), json.dumps(MODEL)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["models", ".", *filter(None, sys.path)])}
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    metrics, rows = json.loads(done.stdout.splitlines()[-1])
    one, same_rows = evaluate(request(clicks, scored_folder))
    assert metrics == one["metrics"]
    assert rows == list(same_rows)
