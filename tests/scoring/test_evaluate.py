"""The evaluator: decode once, cache, pool, and tell every failure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.encoder import Encoder
from foleybench.api.metric import Metric, Need
from foleybench.api.protocol import Protocol
from foleybench.artefacts import result as results
from foleybench.artefacts.coverage import coverage
from foleybench.clips import AudioArray
from foleybench.errors import FoleyError
from foleybench.lists import subsets
from foleybench.media.audio import write_wav
from foleybench.scoring import choice, scorer
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest, write_manifest
from foleybench.stats.pools import mean_of, one_statistic

MODEL = {
    "name": "copy",
    "title": "Copy",
    "kind": "model",
    "licence": "MIT",
    "description": "",
    "sees": [],
    "parameters": None,
    "checkpoint_sha256": None,
}


class Harness:
    """A protocol of one metric (mean absolute difference of RMS level) and one counted encoder."""

    def __init__(self) -> None:
        self.encoded: list[int] = []
        self.poison: set[int] = set()
        self.encoder = Encoder(
            version=1, rate_hz=8000, layers={"rms": ()}, licence="MIT", source="test", build=lambda device: self.encode
        )
        self.metric = Metric(
            title="RMS error",
            version=1,
            unit="1",
            better="lower",
            ideal=0.0,
            source="test",
            needs={
                "ours": Need(encoder="rms", layer="rms", of="generated"),
                "real": Need(encoder="rms", layer="rms", of="reference"),
            },
            per_clip=lambda clip: {"d": np.abs(clip["ours"] - clip["real"])},
            pool=mean_of("d"),
            clip_value=one_statistic("d"),
            undefined="no clip",
        )
        self.protocol = Protocol(title="t", version=1, description="d", metrics=("rms_error",), headline={})

    def encode(self, signals):
        out = []
        for signal in signals:
            self.encoded.append(len(signal.audio))
            value = np.sqrt(np.mean(np.square(signal.audio, dtype=np.float64)))
            out.append({"rms": np.array(np.nan if round(value * 1e6) in self.poison else value)})
        return out

    def load(self, kind, name):
        return {"encoders": self.encoder, "metrics": self.metric, "protocols": self.protocol}[kind]


@pytest.fixture
def harness(monkeypatch):
    made = Harness()
    monkeypatch.setattr(registry, "load", made.load)
    monkeypatch.setattr(
        choice, "code_origin", lambda metric, protocol: {"source_sha256": "0" * 64, "code_sha256": "1" * 64}
    )
    return made


@pytest.fixture
def copies(clicks, tmp_path) -> Path:
    """An audio folder that holds the reference audio itself."""
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(tmp_path / "audio" / f"{clip.clip_id}.wav", clip.audio, clip.rate_hz)
    return tmp_path / "audio"


def request(clicks, audio, cache=None, **more) -> EvalRequest:
    return EvalRequest(data=clicks, audio=audio, protocol="t", model=MODEL, cache=cache, resamples=50, **more)


def test_identity_is_ideal_and_complete(harness, clicks, copies):
    result, rows = evaluate(request(clicks, copies))
    record = result["metrics"]["rms_error"]
    assert result["status"] == "complete"
    assert record["value"] == pytest.approx(0.0, abs=1e-5)
    assert (record["n_used"], record["n_asked"]) == (6, 6)
    assert (record["low"], record["high"]) == (None, None)
    assert record["notes"][-1] == "no 95 % interval: all clips have the same value"
    assert len(rows) == 6


def test_second_run_encodes_nothing(harness, clicks, copies, tmp_path):
    evaluate(request(clicks, copies, tmp_path / "cache"))
    assert len(harness.encoded) > 0
    harness.encoded.clear()
    evaluate(request(clicks, copies, tmp_path / "cache"))
    assert harness.encoded == []


def test_sound_is_resampled_and_as_long_as_the_clip(harness, clicks, copies):
    evaluate(request(clicks, copies))
    assert set(harness.encoded) == {16000}  # 2 s at the encoder's 8 kHz


def test_missing_truncated_and_silent_are_named(harness, clicks, copies):
    ids = ShardDataset(clicks).clip_ids
    (copies / f"{ids[0]}.wav").unlink()
    broken = copies / f"{ids[1]}.wav"
    broken.write_bytes(broken.read_bytes()[:30])
    write_wav(copies / f"{ids[2]}.wav", np.zeros(32000, dtype=np.float32), 16000)
    result, _ = evaluate(request(clicks, copies))
    kinds = {problem["clip_id"]: problem["kind"] for problem in result["problems"]}
    assert kinds == {ids[0]: "missing", ids[1]: "undecodable", ids[2]: "silent"}
    assert result["status"] == "partial"
    assert result["metrics"]["rms_error"]["n_used"] == 4
    assert result["metrics"]["rms_error"]["n_asked"] == 6


def test_sounds_of_half_the_length_make_it_partial(harness, clicks, copies):
    """Each is scored, with silence for the rest, and none covers its clip."""
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(copies / f"{clip.clip_id}.wav", clip.audio[: len(clip.audio) // 2], clip.rate_hz)
    result, _ = evaluate(request(clicks, copies))
    assert {problem["kind"] for problem in result["problems"]} == {"too_short"}
    assert result["metrics"]["rms_error"]["n_used"] == 6
    assert result["status"] == "partial"


def test_one_nan_feature_is_named_and_left_out(harness, clicks, copies):
    clean, _ = evaluate(request(clicks, copies))
    clip = ShardDataset(clicks).load(ShardDataset(clicks).clip_ids[3], video=False)
    write_wav(copies / f"{clip.clip_id}.wav", clip.audio * 0.5, clip.rate_hz)
    _, rows = evaluate(request(clicks, copies))
    level = rows[3]["stats"]["rms_error"]["d"]
    assert level > 0
    harness.poison = {round(harness_rms(copies, clip.clip_id) * 1e6)}
    result, _ = evaluate(request(clicks, copies))
    assert [p["clip_id"] for p in result["problems"]] == [clip.clip_id]
    assert result["problems"][0]["kind"] == "bad_features"
    assert result["status"] == "partial"
    assert result["metrics"]["rms_error"]["n_used"] == 5
    assert result["metrics"]["rms_error"]["value"] == pytest.approx(clean["metrics"]["rms_error"]["value"], abs=1e-6)


def harness_rms(folder: Path, clip_id: str) -> float:
    from foleybench.media.audio import read_sound, resample

    audio: AudioArray
    audio, rate_hz = read_sound(folder / f"{clip_id}.wav")
    return float(np.sqrt(np.mean(np.square(resample(audio, rate_hz, 8000), dtype=np.float64))))


def test_nothing_to_score_is_an_error(harness, clicks, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FoleyError, match=r"no clip of .* could be scored"):
        evaluate(request(clicks, tmp_path / "empty"))


def test_limit_makes_it_partial(harness, clicks, copies):
    result, rows = evaluate(request(clicks, copies, limit=2))
    assert (result["status"], len(rows)) == ("partial", 2)


def test_a_subset_is_scored_alone_and_named(harness, clicks, copies, tmp_path):
    (tmp_path / "mine.txt").write_text("clip01_000000\nclip03_000000\nelsewhere01_000000\n")
    result, rows = evaluate(request(clicks, copies, subset=subsets.read_ids(tmp_path / "mine.txt")))
    assert [row["clip_id"] for row in rows] == ["clip01_000000", "clip03_000000"]
    found = result["dataset"]["subset"]
    expected = hashlib.sha256(b"clip01_000000\nclip03_000000\nelsewhere01_000000\n").hexdigest()
    assert (found["name"], found["sha256"], found["n_ids"], found["n_here"]) == ("mine", expected, 3, 2)
    assert (result["status"], result["dataset"]["n_clips"]) == ("complete", 2)
    assert "n_listed" not in result["dataset"]
    with pytest.raises(
        FoleyError,
        match="none of the 11141 clips of subset common is among the 6 of clicks, which are called as clip00_000000",
    ):
        evaluate(request(clicks, copies, subset=subsets.load_subset("common")))


def test_clips_that_could_not_be_had_are_counted(harness, clicks, copies, tmp_path):
    """P13: five usable clips of a list of eight, of which a subset has two of three."""
    found = read_manifest(clicks)
    lost = [dataclasses.replace(found.entries[0], clip_id=f"lost{n}_000000", status="not_here") for n in (1, 2)]
    entries = [*found.entries[:5], dataclasses.replace(found.entries[5], status="no_audio", shard=None), *lost]
    for shard in clicks.parent.glob("*.tar"):
        shutil.copy(shard, tmp_path)
    path = tmp_path / clicks.name
    write_manifest(path, found.header, entries)
    result, _ = evaluate(request(path, copies))
    assert (result["status"], result["dataset"]["n_clips"], result["dataset"]["n_listed"]) == ("complete", 5, 8)
    (tmp_path / "mine.txt").write_text("clip01_000000\nclip03_000000\nlost1_000000\nelsewhere01_000000\n")
    part = evaluate(request(path, copies, subset=subsets.read_ids(tmp_path / "mine.txt")))[0]["dataset"]
    assert (part["n_clips"], part["n_listed"], part["subset"]["n_ids"]) == (2, 3, 4)
    assert coverage(part) == "2 of 4 clips of subset mine (50.0 %)"


def test_same_seed_same_bits_whatever_the_chunks(harness, clicks, copies, monkeypatch):
    first = evaluate(request(clicks, copies))
    monkeypatch.setattr(scorer, "CHUNK", 1)
    assert evaluate(request(clicks, copies)) == first


def test_the_seed_is_recorded_and_six_videos_need_none(harness, clicks, copies):
    """Every clip half as loud as the one before; all 32 pairs of sign vectors are tried, whatever the seed."""
    for index, clip in enumerate(ShardDataset(clicks).clips(video=False)):
        write_wav(copies / f"{clip.clip_id}.wav", clip.audio * 0.5**index, clip.rate_hz)
    ends = []
    for seed in (0, 0, 1):
        result, _ = evaluate(request(clicks, copies, seed=seed))
        record = result["metrics"]["rms_error"]
        assert record["low"] < record["value"] < record["high"]
        assert result["run"]["seed"] == seed
        ends.append((record["low"], record["high"]))
    assert ends[0] == ends[1] == ends[2]


def test_an_interval_ends_at_the_worst_value(harness, clicks, copies):
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(copies / f"{clip.clip_id}.wav", clip.audio * 0.1 * (1 + int(clip.clip_id[5])), clip.rate_hz)
    open_ended = evaluate(request(clicks, copies))[0]["metrics"]["rms_error"]
    worst = (open_ended["value"] + open_ended["high"]) / 2
    harness.metric = dataclasses.replace(harness.metric, worst=worst)
    record = evaluate(request(clicks, copies))[0]["metrics"]["rms_error"]
    assert (record["low"], record["high"]) == (open_ended["low"], worst)


def test_a_crop_leaves_the_first_seconds_to_score(harness, clicks, copies):
    """Audio that is right for half a second and then silent is ideal under a crop of half a second, and not without."""
    for clip in ShardDataset(clicks).clips(video=False):
        audio = clip.audio.copy()
        audio[clip.rate_hz // 2 :] = 0
        write_wav(copies / f"{clip.clip_id}.wav", audio, clip.rate_hz)
    assert evaluate(request(clicks, copies))[0]["metrics"]["rms_error"]["value"] > 0.001
    harness.encoded.clear()
    harness.protocol = dataclasses.replace(harness.protocol, crop_s=0.5)
    result, rows = evaluate(request(clicks, copies))
    assert result["metrics"]["rms_error"]["value"] == pytest.approx(0.0, abs=1e-5)
    assert set(harness.encoded) == {4000}  # half a second at the encoder's 8 kHz
    assert {row["duration_s"] for row in rows} == {2.0}  # the clips are as long as they were


@pytest.mark.parametrize("cut_resampled", [False, True])
@pytest.mark.parametrize(("seconds", "kinds", "status"), [(1.6, set(), "complete"), (1.4, {"too_short"}, "partial")])
def test_audio_as_long_as_the_crop_covers_its_clip(harness, clicks, copies, seconds, kinds, status, cut_resampled):
    """As 8 s of audio for clips of 10 s do under a crop of 8 s; 7 s do not."""
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(copies / f"{clip.clip_id}.wav", clip.audio[: round(seconds * clip.rate_hz)], clip.rate_hz)
    harness.protocol = dataclasses.replace(harness.protocol, crop_s=1.6, cut_resampled=cut_resampled)
    result, _ = evaluate(request(clicks, copies))
    assert {problem["kind"] for problem in result["problems"]} == kinds
    assert result["status"] == status
    assert set(harness.encoded) == {12800}  # 1.6 s at the encoder's 8 kHz
    if not kinds:
        assert result["metrics"]["rms_error"]["value"] == pytest.approx(0.0, abs=1e-3)


def test_a_crop_longer_than_the_clip_adds_nothing(harness, clicks, copies):
    harness.protocol = dataclasses.replace(harness.protocol, crop_s=10.0)
    evaluate(request(clicks, copies))
    assert set(harness.encoded) == {16000}


@pytest.mark.parametrize(("kind", "named"), [("model", True), ("baseline", True), ("control", False)])
def test_silence_is_no_fault_of_a_control(harness, clicks, copies, kind, named):
    """What else is wrong with the files of a control is named."""
    silent, missing = ShardDataset(clicks).clip_ids[:2]
    write_wav(copies / f"{silent}.wav", np.zeros(32000, dtype=np.float32), 16000)
    (copies / f"{missing}.wav").unlink()
    asked = dataclasses.replace(request(clicks, copies), model={**MODEL, "kind": kind})
    found = {problem["clip_id"]: problem["kind"] for problem in evaluate(asked)[0]["problems"]}
    assert found == {missing: "missing", **({silent: "silent"} if named else {})}


def test_the_hash_of_the_audio_is_of_all_of_it(harness, clicks, copies):
    clip = ShardDataset(clicks).load(ShardDataset(clicks).clip_ids[0], video=False)
    audio = np.full(32000, 0.25, dtype=np.float32)
    write_wav(copies / f"{clip.clip_id}.wav", audio, 16000)
    hashed = hashlib.sha256(audio.tobytes()).hexdigest()
    assert evaluate(request(clicks, copies))[1][0]["audio_sha256"] == hashed
    audio[-1] = 0.5
    write_wav(copies / f"{clip.clip_id}.wav", audio, 16000)
    changed = evaluate(request(clicks, copies))[1][0]["audio_sha256"]
    assert changed == hashlib.sha256(audio.tobytes()).hexdigest() != hashed


def test_too_few_clips_are_undefined_with_a_reason(harness, clicks, copies):
    harness.metric = dataclasses.replace(harness.metric, minimum_clips=7)
    result, _ = evaluate(request(clicks, copies))
    record = result["metrics"]["rms_error"]
    assert record["value"] is None
    assert "at least 7 are needed" in record["reason"]


def test_result_file_round_trip_and_edit(harness, clicks, copies, tmp_path):
    result, rows = evaluate(request(clicks, copies))
    path = results.write_result(tmp_path / "results", result, rows)
    assert results.read_result(path)["metrics"] == result["metrics"]
    assert results.read_clips(path) == rows
    edited = json.loads(path.read_text())
    edited["metrics"]["rms_error"]["value"] = 0.123
    path.write_text(json.dumps(edited))
    with pytest.raises(results.ResultError, match="was edited after it was written"):
        results.read_result(path)


def test_order_of_files_changes_nothing(harness, clicks, copies, tmp_path):
    first = evaluate(request(clicks, copies))
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in sorted(copies.iterdir(), reverse=True):
        shutil.copy(path, moved / path.name)
    assert evaluate(request(clicks, moved))[0]["metrics"] == first[0]["metrics"]
