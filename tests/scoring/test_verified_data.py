"""What is scored is what the manifest names: other or damaged samples are named, the rest is scored."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from foleybench.errors import FoleyError
from foleybench.media.audio import write_wav
from foleybench.scoring.evaluate import evaluate
from foleybench.scoring.scorer import ClipToScore, Scorer, ScorerRecipe
from foleybench.shards.dataset import ShardDataset
from tests.scoring.test_evaluate import copies, harness, request  # noqa: F401 - fixtures

Make = Callable[..., Path]


def damage(manifest: Path, *names: str) -> None:
    """Flip one bit in the middle of some members."""
    shard = manifest.parent / "test-000000.tar"
    with tarfile.open(shard) as tar:
        spots = {member.name: member.offset_data + member.size // 2 for member in tar}
    data = bytearray(shard.read_bytes())
    for name in names:
        data[spots[name]] ^= 1
    shard.write_bytes(bytes(data))


@pytest.fixture
def mine(tmp_path: Path, make_clicks: Make) -> Path:
    return make_clicks(tmp_path / "mine", 6)


def test_shards_of_another_data_set_are_not_scored(harness, mine, copies, tmp_path, make_clicks):  # noqa: F811
    other = make_clicks(tmp_path / "other", 6, duration_s=1.5)
    shutil.copy(other.parent / "test-000000.tar", mine.parent / "test-000000.tar")
    with pytest.raises(FoleyError, match=r"clip00_000000: bad_data, .*test-000000\.tar: .*not what the manifest"):
        evaluate(request(mine, copies))


def test_a_damaged_clip_is_named_and_the_rest_is_scored(harness, mine, copies):  # noqa: F811
    damage(mine, "clip01_000000.flac", "clip02_000000.json")
    result, _ = evaluate(request(mine, copies))
    assert [(p["clip_id"], p["kind"]) for p in result["problems"]] == [
        ("clip01_000000", "bad_data"),
        ("clip02_000000", "bad_data"),
    ]
    assert "test-000000.tar: clip01_000000.flac is not what" in result["problems"][0]["detail"]
    assert (result["status"], result["dataset"]["n_scored"]) == ("partial", 4)


def test_a_damaged_video_is_named_where_a_metric_sees(mine, tmp_path):
    """The video is read late, when an encoder wants it: the other clips of its chunk are still scored."""
    damage(mine, "clip01_000000.mp4")
    ids = ShardDataset(mine).clip_ids
    for clip_id in ids:
        write_wav(tmp_path / f"{clip_id}.wav", np.full(32000, 0.1, dtype=np.float32), 16000)
    wanted = [ClipToScore(clip_id, tmp_path / f"{clip_id}.wav", None) for clip_id in ids[:3]]
    deaf = Scorer(ScorerRecipe(data=mine, protocol="signal", metrics=("level_difference",)))(wanted)
    assert [clip.problems for clip in deaf] == [[], [], []]
    seeing = Scorer(ScorerRecipe(data=mine, protocol="synth", metrics=("align_acc_mini",)))(wanted)
    assert [bool(clip.row["stats"]) for clip in seeing] == [True, False, True]
    (problem,) = seeing[1].problems
    assert (problem.clip_id, problem.kind) == ("clip01_000000", "bad_data")
    assert "clip01_000000.mp4 is not what the manifest recorded" in problem.detail
