"""Features beside the clips: the encoders' own outputs, the same bytes however they are made, joined by clip id."""

from __future__ import annotations

import dataclasses
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import webdataset
from threadpoolctl import threadpool_limits

from foleybench import registry
from foleybench.api.encoder import Encoder, Signal
from foleybench.cli import main
from foleybench.errors import FoleyError
from foleybench.media.audio import fit_length, resample
from foleybench.prepare import feature_shards
from foleybench.prepare.feature_shards import FeatureRequest, make_features, plan_features
from foleybench.prepare.verify import ShardProblem, verify
from foleybench.shards.dataset import ShardDataset, shard_name, write_shard
from foleybench.shards.feature_files import features_bytes, read_features
from foleybench.shards.loader import ClipLoader
from foleybench.shards.manifest import Manifest, manifest_path, read_manifest, write_manifest
from foleybench.shards.stream import KEY, ShardStream

ENCODERS = ("logmel", "mini_align", "onsets")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, make_clicks: Callable[..., Path]) -> Path:
    """Return the manifest of six clips in three shards of unequal size."""
    made = make_clicks(tmp_path_factory.mktemp("made"), 6)
    return reshard(made, tmp_path_factory.mktemp("clips"), [3, 1, 2])


def reshard(manifest: Path, folder: Path, sizes: list[int]) -> Path:
    data = ShardDataset(manifest)
    entries, waiting = [], list(data.manifest.entries)
    for number, size in enumerate(sizes):
        group, waiting = waiting[:size], waiting[size:]
        members = [(one.clip_id, data.members(one.clip_id)) for one in group]
        write_shard(
            folder / shard_name("test", number),
            [(clip_id, {name: (lambda d=d: d) for name, d in files.items()}) for clip_id, files in members],
        )
        entries += [dataclasses.replace(one, shard=shard_name("test", number)) for one in group]
    write_manifest(manifest_path(folder, "test"), data.manifest.header, entries)
    return manifest_path(folder, "test")


@pytest.fixture(scope="module")
def made(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("features")
    return make_features(FeatureRequest(data=clips, out=out, encoders=ENCODERS))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_features_are_what_the_encoders_say(clips: Path, made: Path):
    stream = ShardStream(made)
    data = ShardDataset(clips)
    (batch,) = list(ClipLoader(stream, batch_size=9, shuffle=False, decode=dict))
    assert [sample[KEY] for sample in batch] == data.clip_ids
    for sample in batch:
        clip = data.load(sample[KEY])
        for name in ENCODERS:
            encoder: Encoder = registry.load("encoders", name)
            audio = fit_length(resample(clip.audio, clip.rate_hz, encoder.rate_hz), 2 * encoder.rate_hz)
            signal = Signal(audio=audio, duration_s=2.0, frames=clip.frames, frame_times_s=clip.frame_times_s)
            (expected,) = encoder.build("cpu")([signal])
            found = read_features(sample[f"{name}.npz"])
            assert set(found) == set(expected) == set(encoder.layers)
            for layer, value in expected.items():
                np.testing.assert_allclose(found[layer], value, rtol=1e-6, atol=1e-6)
                assert found[layer].dtype == np.asarray(value).dtype


def test_the_manifest_says_what_they_were_made_from(clips: Path, made: Path):
    header = read_manifest(made).header
    assert header.profile["clips_manifest_sha256"] == read_manifest(clips).sha256
    assert set(header.profile["encoders"]) == set(ENCODERS)
    card = header.profile["encoders"]["mini_align"]
    assert len(card["weights_sha256"]) == 64
    assert card["version"] == registry.load("encoders", "mini_align").version
    assert header.profile["encoders"]["logmel"]["weights_sha256"] is None
    assert {"torch", "numpy", "foleybench"} <= set(header.tools)


def test_shards_hold_the_same_clips_as_the_clips_shards(clips: Path, made: Path):
    theirs, ours = read_manifest(clips), read_manifest(made)
    assert [(e.clip_id, e.shard, e.label) for e in ours.entries] == [
        (e.clip_id, e.shard, e.label if _has_label(clips) else "") for e in theirs.entries
    ]
    assert [one for one in verify(made) if isinstance(one, ShardProblem)] == []
    assert [one for one in verify(made, fast=True) if isinstance(one, ShardProblem)] == []


def _has_label(clips: Path) -> bool:
    return "label" in json.loads(ShardDataset(clips).members("clip00_000000")["json"])


def test_a_changed_feature_is_noticed(clips: Path, tmp_path: Path):
    out = make_features(FeatureRequest(data=clips, out=tmp_path, encoders=("onsets",)))
    shard = tmp_path / "test-000000.tar"
    with tarfile.open(shard) as tar:
        member = tar.getmembers()[1]
    data = bytearray(shard.read_bytes())
    data[member.offset_data + member.size // 2] ^= 1
    shard.write_bytes(bytes(data))
    (problem,) = [one for one in verify(out) if isinstance(one, ShardProblem)]
    assert problem.what.startswith(f"{member.name} is not what the manifest recorded")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_webdataset_reads_and_decodes_them(made: Path):
    urls = [str(made.parent / name) for name in ("test-000000.tar", "test-000001.tar")]
    samples = list(webdataset.WebDataset(urls, shardshuffle=False).decode())
    assert len(samples) == 4
    assert samples[0]["logmel.npz"]["bands_db"].shape[1] == 64


def test_made_again_they_have_the_same_bytes(clips: Path, made: Path, tmp_path: Path):
    make_features(FeatureRequest(data=clips, out=tmp_path / "again", encoders=ENCODERS))
    assert content(tmp_path / "again") == content(made.parent)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_of_blas_change_no_byte(clips: Path, made: Path, tmp_path: Path, n_threads: int):
    """A process may have more threads than its workers: the command sets a variable that only workers read."""
    with threadpool_limits(limits=n_threads, user_api="blas"):
        make_features(FeatureRequest(data=clips, out=tmp_path / "again", encoders=ENCODERS))
    assert content(tmp_path / "again") == content(made.parent)


@pytest.mark.slow
def test_processes_make_the_same_bytes(clips: Path, made: Path, tmp_path: Path):
    make_features(FeatureRequest(data=clips, out=tmp_path / "two", encoders=ENCODERS, jobs=2))
    assert content(tmp_path / "two") == content(made.parent)


class Stopped(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def whole(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Onsets alone."""
    return make_features(FeatureRequest(data=clips, out=tmp_path_factory.mktemp("whole"), encoders=("onsets",)))


@pytest.mark.parametrize("stop_at", [1, 2, 3])
@pytest.mark.parametrize("moment", ["make_shard", "commit", "finish"])
def test_stopped_and_run_again_is_byte_identical(
    clips: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int, moment: str
):
    request = FeatureRequest(data=clips, out=tmp_path / "broken", encoders=("onsets",))
    original, calls = getattr(feature_shards, moment), []

    def stopping(*args):
        calls.append(args)
        if len(calls) == stop_at:
            raise Stopped
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(feature_shards, moment, stopping)
        if moment == "finish" and stop_at > 1:
            make_features(request)
        else:
            with pytest.raises(Stopped):
                make_features(request)
    monkeypatch.setattr(feature_shards, "make_shard", counted := Counted(feature_shards.make_shard))
    make_features(request)
    assert content(tmp_path / "broken") == content(whole.parent)
    n_done = {"make_shard": stop_at - 1, "commit": stop_at - 1, "finish": 3}[moment]
    assert counted.n == 3 - n_done


class Counted:
    def __init__(self, function: Callable) -> None:
        self.n, self._function = 0, function

    def __call__(self, *args):
        self.n += 1
        return self._function(*args)


def test_a_lost_shard_is_made_again_and_nothing_else(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    request = FeatureRequest(data=clips, out=tmp_path, encoders=("onsets",))
    make_features(request)
    before = content(tmp_path)
    (tmp_path / "test-000001.tar").unlink()
    assert plan_features(request).left == [1]
    monkeypatch.setattr(feature_shards, "make_shard", counted := Counted(feature_shards.make_shard))
    make_features(request)
    make_features(request)
    assert counted.n == 1
    assert content(tmp_path) == before


def test_another_recipe_is_refused(clips: Path, tmp_path: Path):
    request = FeatureRequest(data=clips, out=tmp_path, encoders=("onsets",))
    make_features(request)
    with pytest.raises(FoleyError, match="half was"):
        make_features(dataclasses.replace(request, half=True))
    path = make_features(dataclasses.replace(request, half=True, force=True))
    assert read_manifest(path).header.profile["half"] is True


def test_half_keeps_floats_as_float16(clips: Path, tmp_path: Path, made: Path):
    path = make_features(FeatureRequest(data=clips, out=tmp_path, encoders=("logmel",), half=True))
    (halves,) = list(ClipLoader(ShardStream(path), batch_size=9, shuffle=False, decode=dict))
    (fulls,) = list(ClipLoader(ShardStream(made), batch_size=9, shuffle=False, decode=dict))
    half, full = (read_features(batch[2]["logmel.npz"])["bands_db"] for batch in (halves, fulls))
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, full, rtol=1e-3)


def test_a_clip_whose_features_cannot_be_made_is_told(clips: Path, tmp_path: Path):
    broken = break_clip(clips, tmp_path / "clips")
    path = make_features(FeatureRequest(data=broken, out=tmp_path / "out", encoders=("onsets",)))
    manifest: Manifest = read_manifest(path)
    assert [entry.status for entry in manifest.entries] == ["ok", "undecodable", "ok", "ok", "ok", "ok"]
    # Joined, the clip without features is left out.
    joined = ShardStream(broken, features=[path])
    assert len(joined) == 5
    found = [sample[KEY] for batch in ClipLoader(joined, batch_size=2, decode=dict) for sample in batch]
    assert sorted(found) == [entry.clip_id for entry in manifest.ok()]


def break_clip(clips: Path, folder: Path) -> Path:
    data = ShardDataset(clips)
    entries = list(data.manifest.entries)
    members = [(one.clip_id, data.members(one.clip_id)) for one in entries]
    members[1][1]["flac"] = b"no audio"
    write_shard(
        folder / "test-000000.tar",
        [(clip_id, {name: (lambda d=d: d) for name, d in files.items()}) for clip_id, files in members],
    )
    entries = [dataclasses.replace(one, shard="test-000000.tar") for one in entries]
    write_manifest(manifest_path(folder, "test"), data.manifest.header, entries)
    return manifest_path(folder, "test")


def test_the_loader_joins_clips_and_features(clips: Path, made: Path):
    joined = ShardStream(clips, features=[made])
    (batch,) = list(ClipLoader(joined, batch_size=9, seed=2))
    assert sorted(example["clip"].clip_id for example in batch) == ShardDataset(clips).clip_ids
    for example in batch:
        assert example["clip"].frames.shape == (50, 32, 32, 3)
        assert set(example) == {"clip", *ENCODERS}
    alone = {
        sample[KEY]: sample["onsets.npz"]
        for sample in next(iter(ClipLoader(ShardStream(made), batch_size=9, decode=dict)))
    }
    raw = next(iter(ClipLoader(joined, batch_size=9, decode=dict, seed=2)))
    assert {sample[KEY]: sample["onsets.npz"] for sample in raw} == alone


def test_the_same_arrays_give_the_same_file():
    features = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.float64(2.5)}
    data = features_bytes(features)
    assert data == features_bytes(dict(reversed(features.items())))
    found = read_features(data)
    assert found["a"].shape == ()
    np.testing.assert_array_equal(found["b"], features["b"])


def test_the_command_makes_features(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ["prepare", "features", "--data", str(clips), "--out", str(tmp_path / "out"), "--encoder", "onsets"]
    assert main([*arguments, "--dry-run"]) == 0
    assert "6 clips in 3 shards, 3 shards to make" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*arguments, "--encoder", "logmel"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'test.manifest.jsonl'}\n"
    assert main([*arguments, "--encoder", "onset"]) == 2
    assert "onset" in capsys.readouterr().err
