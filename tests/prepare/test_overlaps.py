"""The same seconds of one video in two splits are found by their ids, whatever the fingerprints say."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from foleybench.prepare.duplicate_flags import read_between, write_between
from foleybench.prepare.overlaps import Stretch, find_overlaps, stretch_of
from foleybench.shards.manifest import Entry, Header, manifest_path, write_manifest

VIDEO = "dQw4w9WgXcQ"


def entry(clip_id: str, source_id: str, start_s: float, *, seconds: float = 10.0, salt: str = "") -> Entry:
    facts = {"real_start_s": start_s, "real_end_s": start_s + seconds, "duration_s": seconds}
    sha256 = f"{hash((clip_id, salt)) & 0xFFFFFFFF:064x}"
    return Entry(
        clip_id=clip_id,
        source="s",
        source_id=source_id,
        label="",
        status="ok",
        shard="test-000000.tar",
        audio_sha256=sha256,
        video_sha256=sha256,
        facts=facts,
    )


def write(folder: Path, split: str, entries: list[Entry]) -> None:
    header = Header(dataset="d", split=split, version=1, profile={}, tools={})
    write_manifest(manifest_path(folder, split), header, entries)


def test_w13_five_seconds_shared_by_train_and_test_are_counted(tmp_path: Path):
    """W13: clips at 30 and 35 s of one video, in train and test; not those that only follow each other."""
    write(tmp_path, "train", [entry(f"{VIDEO}_000030", VIDEO, 30.0), entry(f"{VIDEO}_000045", VIDEO, 45.0)])
    write(tmp_path, "test", [entry(f"{VIDEO}_000035", VIDEO, 35.0), entry("other_000000", "other", 30.0)])
    write_between(tmp_path)
    assert read_between(tmp_path) == [
        {"clips": [f"test/{VIDEO}_000035", f"train/{VIDEO}_000030"], "kind": "overlap", "shared_s": 5.0}
    ]


def test_w13_equal_names_of_files_are_no_video(tmp_path: Path):
    """Two folders may each have an `a.mp4`, of other videos."""
    write(tmp_path, "train", [entry("a", "a", 0.0)])
    write(tmp_path, "test", [entry("a", "a", 0.0, salt="b")])
    write_between(tmp_path)
    assert read_between(tmp_path) == []


def interval(split: str, start_s: float, end_s: float, video_id: str = VIDEO) -> Stretch:
    return Stretch(f"{split}/{video_id}_{start_s:g}", split, video_id, start_s, end_s)


@pytest.mark.parametrize(
    ("second", "shared_s"),
    [((0.0, 10.0), 10.0), ((9.0, 19.0), 1.0), ((2.5, 4.0), 1.5), ((10.0, 20.0), None), ((9.95, 19.0), None)],
)
def test_how_much_is_shared(second: tuple[float, float], shared_s: float | None):
    found = list(find_overlaps([interval("train", 0.0, 10.0), interval("test", *second)]))
    assert [round(one[2], 6) for one in found] == ([] if shared_s is None else [shared_s])
    assert list(find_overlaps([interval("train", 0.0, 10.0), interval("train", *second)])) == []


def test_a_long_clip_meets_all_that_start_in_it():
    ones = [interval("train", 0.0, 100.0), *(interval("test", float(k), k + 5.0) for k in range(0, 100, 10))]
    assert len(list(find_overlaps(ones))) == 10


def test_what_says_no_interval_has_none():
    record = json.loads(json.dumps({"clip_id": f"{VIDEO}_000030", "source_id": VIDEO, "status": "ok", "facts": {}}))
    assert stretch_of(record, "test") is None
    record["facts"] = {"real_start_s": 30.0, "real_end_s": 40.0}
    assert stretch_of(record, "test") == Stretch(f"test/{VIDEO}_000030", "test", VIDEO, 30.0, 40.0)
    assert stretch_of({**record, "status": "removed"}, "test") is None


@pytest.mark.slow
def test_two_hundred_thousand_clips_take_seconds():
    ones = [interval(("train", "test")[k % 2], 7.0 * (k // 1000), 7.0 * (k // 1000) + 10, f"v{k % 1000:010d}")
            for k in range(200_000)]  # fmt: skip
    started = time.process_time()
    found = sum(1 for _ in find_overlaps(ones))
    assert found == 0  # (each video lies in one split only)
    assert time.process_time() - started < 10
