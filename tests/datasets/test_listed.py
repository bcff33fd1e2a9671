"""VGGSound and AudioSet from their lists: what is asked for, what is refused, and shards from files that are here."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

import pytest

from foleybench.api.dataset import Item
from foleybench.cli import main
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.prepare import parse_options, plan
from foleybench.prepare.load_dataset import load_dataset
from foleybench.prepare.worker_pool import PoolSettings, Task
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest
from tests.made_media import click, pictures, write_video

VGGSOUND = """---g-f_I2yQ,1,"people marching",test
_-AbCdEfGhI,30,"bird chirping, tweeting",train
_-AbCdEfGhI,40,"bird chirping, tweeting",test
---g-f_I2yQ,1,"people marching",test
../../etc/pw,1,"dog",test
ABCDEFGHIJK,7,"<script>alert(1)</script>",test
ABCDEFGHIJL,7,"dog",validation
"""
EVAL = """# Segments csv
# num_ytids=3, num_segs=3
# YTID, start_seconds, end_seconds, positive_labels
--4gqARaEJE, 0.000, 10.000, "/m/dog,/m/cat"
--BfvyPmVMo, 20.500, 29.000, "/m/horn"
--U7joUcTCo, 0.000, 10.000, "/m/cat"
"""
ONTOLOGY = [
    {"id": "/m/animal", "name": "Animal", "child_ids": ["/m/dog", "/m/cat"]},
    {"id": "/m/dog", "name": "Dog", "child_ids": []},
    {"id": "/m/cat", "name": "Cat", "child_ids": []},
    {"id": "/m/horn", "name": "Horn", "child_ids": []},
]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "clips").mkdir()
    (tmp_path / "vggsound.csv").write_text(VGGSOUND)
    (tmp_path / "eval_segments.csv").write_text(EVAL)
    (tmp_path / "ontology.json").write_text(json.dumps(ONTOLOGY))
    return tmp_path


def options(name: str, here: Path, *more: str) -> argparse.Namespace:
    where = ["--list", str(here / "vggsound.csv")] if name == "vggsound" else ["--lists", str(here)]
    return parse_options(name, [*where, "--from", str(here / "clips"), *more])


def items(name: str, here: Path, *more: str) -> Sequence[Item]:
    return load_dataset(name).items(options(name, here, *more))


def ids(found: Sequence[Item]) -> list[str]:
    return [item.clip_id for item in found if item.refused is None]


def test_the_official_split_is_kept(here: Path):
    assert ids(items("vggsound", here)) == ["---g-f_I2yQ_000001", "_-AbCdEfGhI_000040", "ABCDEFGHIJK_000007"]
    assert ids(items("vggsound", here, "--splits", "train")) == ["_-AbCdEfGhI_000030"]


def test_bad_rows_and_doubles_are_refused_by_name(here: Path, capsys):
    refused = {item.source: item.refused for item in items("vggsound", here) if item.refused}
    assert sorted(status for status, _ in refused.values()) == ["bad_row", "bad_row", "duplicate_id"]
    assert any("line 5" in reason for _, reason in refused.values())
    assert "line 5: '../../etc/pw' is neither" in capsys.readouterr().err


def test_classes_by_name(here: Path):
    assert ids(items("vggsound", here, "--classes", "People Marching")) == ["---g-f_I2yQ_000001"]
    with pytest.raises(UnknownNameError, match="people marching"):
        items("vggsound", here, "--classes", "people marchin")


def test_ids_choose_clips_and_are_in_the_header(here: Path):
    (here / "mine.txt").write_text("_-AbCdEfGhI_000040\nnotinthelis_000001\n")
    asked = options("vggsound", here, "--ids", str(here / "mine.txt"))
    (split,) = plan("vggsound", asked, here / "out")
    assert [item.clip_id for item in split.items] == ["_-AbCdEfGhI_000040"]
    assert split.header.profile["subset"]["name"] == "mine"
    assert split.header.profile["list"]["file"] == "vggsound.csv"
    with pytest.raises(FoleyError, match="exclude each other"):
        items("vggsound", here, "--ids", str(here / "mine.txt"), "--subset", "mmaudio")


def test_parts_make_up_the_whole(here: Path):
    (here / "vggsound.csv").write_text("".join(f'video{k:06d},0,"x",test\n' for k in range(10)))
    parts = [items("vggsound", here, "--part", f"{k}/3") for k in (1, 2, 3)]
    assert [len(part) for part in parts] == [3, 3, 4]
    assert [clip_id for part in parts for clip_id in ids(part)] == ids(items("vggsound", here))
    assert parts[0][0].split == "test-0001of0003"


def test_overlap_is_written_as_segment_or_video(here: Path):
    (here / "other.csv").write_text("---g-f_I2yQ_000001,x\n_-AbCdEfGhI_000030,x\n")
    found = items("vggsound", here, "--overlap", f"other={here / 'other.csv'}")
    shared = {item.clip_id: item.facts.get("overlap") for item in found if item.refused is None}
    assert shared == {
        "---g-f_I2yQ_000001": {"other": "segment"},
        "_-AbCdEfGhI_000040": {"other": "video"},
        "ABCDEFGHIJK_000007": None,
    }


def test_audioset_ids_lengths_and_labels(here: Path):
    found = items("audioset", here)
    assert ids(found) == ["--4gqARaEJE_000000", "--BfvyPmVMo_20500_29000", "--U7joUcTCo_000000"]
    assert [item.spec["profile"]["clip_s"] for item in found] == [10.0, 8.5, 10.0]
    assert [item.label for item in found] == ["Dog", "Horn", "Cat"]
    assert found[0].facts["labels"] == ["Dog", "Cat"]


def test_audioset_by_class_and_by_subtree(here: Path):
    assert [item.label for item in items("audioset", here, "--classes", "cat")] == ["Cat", "Cat"]
    assert len(items("audioset", here, "--classes", "/m/horn")) == 1
    assert ids(items("audioset", here, "--subtree", "Animal")) == ["--4gqARaEJE_000000", "--U7joUcTCo_000000"]
    (here / "ontology.json").rename(here / "elsewhere.json")
    with pytest.raises(FoleyError, match="--ontology"):
        items("audioset", here, "--subtree", "Animal")


def test_a_list_of_the_other_data_set_is_noticed(here: Path, capsys):
    asked = parse_options("vggsound", ["--list", str(here / "eval_segments.csv"), "--from", str(here / "clips")])
    with pytest.raises(FoleyError, match="prepare audioset --lists"):
        load_dataset("vggsound").items(asked)
    asked = parse_options("audioset", ["--lists", str(here / "vggsound.csv"), "--from", str(here / "clips")])
    assert len(ids(load_dataset("audioset").items(asked))) == 5
    assert "no classes of AudioSet (the first is 'people marching')" in capsys.readouterr().err
    items("audioset", here)
    (here / "vggsound.csv").write_text("---g-f_I2yQ_000001\n")  # no labels at all
    items("vggsound", here)
    load_dataset("audioset").items(asked)
    assert "classes of AudioSet" not in capsys.readouterr().err


def test_ids_of_videos_choose_their_clips(here: Path):
    (here / "mine.txt").write_text("--4gqARaEJE\n--U7joUcTCo\nnotinthelis\n")
    found = ids(items("audioset", here, "--ids", str(here / "mine.txt")))
    assert found == ["--4gqARaEJE_000000", "--U7joUcTCo_000000"]


def test_of_many_classes_a_few_near_ones_are_named(here: Path):
    (here / "vggsound.csv").write_text("".join(f'video{k:06d},0,"{k} dogs barking",test\n' for k in range(100)))
    with pytest.raises(UnknownNameError) as caught:
        items("vggsound", here, "--classes", "7 dogs barkin")
    assert "Did you mean '7 dogs barking'? 100 are known, as '7 dogs barking', " in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_list_that_is_not_there_is_named(here: Path):
    with pytest.raises(FoleyError, match=r"balanced_train_segments\.csv"):
        items("audioset", here, "--splits", "balanced_train")


def test_nothing_that_says_where_clips_come_from_is_an_error(here: Path):
    with pytest.raises(FoleyError, match="--from DIR"):
        load_dataset("vggsound").items(parse_options("vggsound", ["--list", str(here / "vggsound.csv")]))


def run(here: Path, *more: str) -> int:
    words = ["prepare", "vggsound", "--list", str(here / "vggsound.csv"), "--from", str(here / "clips")]
    return main([*words, "--out", str(here / "out"), *more])


@pytest.mark.usefixtures("workers_here")
def test_shards_from_files_that_are_here(here: Path, capsys):
    write_video(here / "clips" / "-g-f_I2yQ_1000_11000.mp4", pictures(40), audio=click(0.4, 1.6))
    write_video(here / "clips" / "_-AbCdEfGhI.mp4", pictures(1100, 32, 32), audio=click(40.5, 44.0))
    assert run(here, "--dry-run") == 0
    assert "2 of them are here under --from, 0 to fetch, 1 neither" in capsys.readouterr().err
    assert run(here) == 3
    manifest = read_manifest(here / "out" / "test.manifest.jsonl")
    assert manifest.counts() == {"bad_row": 2, "duplicate_id": 1, "not_here": 1, "ok": 2}
    data = ShardDataset(here / "out" / "test.manifest.jsonl")
    facts = data.entry("_-AbCdEfGhI_000040").facts
    assert (facts["obtained"]["way"], facts["real_start_s"]) == ("whole_file", 40.0)
    assert facts["duration_s"] == pytest.approx(4.0, abs=0.05)
    clip = data.load("_-AbCdEfGhI_000040")
    assert clip.audio is not None
    assert int(abs(clip.audio).argmax()) / clip.rate_hz == pytest.approx(0.5, abs=0.02)
    assert data.verify() == []


def no_tasks(settings: PoolSettings, tasks: Iterable[Task]) -> Generator[tuple[Task, str]]:
    """Take the place of ``run_tasks`` where no clip may reach a worker."""
    assert not list(tasks)
    yield from ()


def stopped(*_: object) -> None:
    raise FoleyError("stopped")


def test_clips_without_media_enter_no_worker(here: Path, monkeypatch, capsys):
    monkeypatch.setattr("foleybench.prepare.engine.run_tasks", no_tasks)
    assert run(here) == 3
    manifest = read_manifest(here / "out" / "test.manifest.jsonl")
    assert manifest.counts() == {"bad_row": 2, "duplicate_id": 1, "not_here": 3}
    gone = next(entry for entry in manifest.entries if entry.status == "not_here")
    assert gone.reason == "no file of this clip under --from, and --fetch was not given"
    assert "clips without a file under --from: 3; put them there or add --fetch" in capsys.readouterr().err
    assert run(here) == 3  # A finished split is left alone.


@pytest.mark.usefixtures("workers_here")
def test_what_was_obtained_counts_when_its_source_is_gone_by_now(here: Path, monkeypatch):
    path = here / "clips" / "ABCDEFGHIJK_000007.mp4"
    write_video(path, pictures(40), audio=click(0.4, 1.6))
    pack = "foleybench.prepare.pack_queue.pack"
    with monkeypatch.context() as patch:
        patch.setattr(pack, stopped)
        assert run(here) == 1
    assert list((here / "out" / ".staging" / "test").glob("*/ABCDEFGHIJK_000007.json"))
    path.unlink()
    assert run(here) == 3
    assert read_manifest(here / "out" / "test.manifest.jsonl").counts()["ok"] == 1
    assert run(here, "--retry-now") == 3
    assert read_manifest(here / "out" / "test.manifest.jsonl").counts()["ok"] == 1


@pytest.mark.usefixtures("workers_here")
def test_a_list_that_changed_is_refused_by_name(here: Path, capsys):
    write_video(here / "clips" / "ABCDEFGHIJK_000007.mp4", pictures(40), audio=click(0.4, 1.6))
    assert run(here) == 3
    with (here / "vggsound.csv").open("a") as handle:
        handle.write('ABCDEFGHIJM,7,"dog",test\n')
    capsys.readouterr()
    assert run(here) == 1
    told = capsys.readouterr().err
    assert "profile.list.sha256 was" in told
    assert "--force" in told


HOSTILE = (
    *("../../x", "; rm -rf $HOME", "<script>alert(1)</script>", "x" * 10_000, "a\0b", "\u202egnp.exe", "$(reboot)"),
    *("-rf", "..", "con", "%00", "\x1b[2J", "{video_id}", "'; DROP TABLE clips; --"),
)


def test_hostile_ids_and_labels_do_no_harm(tmp_path: Path, capsys):
    home = tmp_path / "home"
    (home / "clips").mkdir(parents=True)
    rows = [f'{text},1,"dog",test' for text in HOSTILE]
    rows += [f'AAAAAAAAA{k:02d},1,"{text}",test' for k, text in enumerate(HOSTILE)]
    rows += [f'BBBBBBBBB{k:02d},1,"dog",{text}' for k, text in enumerate(HOSTILE)]
    (home / "vggsound.csv").write_text("\n".join(["firstOfAllA,1,dog,test", *rows]) + "\n")
    for k in range(len(HOSTILE)):
        write_video(home / "clips" / f"AAAAAAAAA{k:02d}_000001.mp4", pictures(20, 32, 32), audio=click(0.4, 0.8))
    outside = {path for path in tmp_path.rglob("*") if path != home and home not in path.parents}
    assert run(home) == 3
    assert {path for path in tmp_path.rglob("*") if path != home and home not in path.parents} == outside
    manifest = read_manifest(home / "out" / "test.manifest.jsonl")
    counts = manifest.counts()
    # Labels that cannot be printed or are endless are refused; others are only text.
    assert counts == {"bad_row": 2 * len(HOSTILE) + 4, "not_here": 1, "ok": len(HOSTILE) - 4}
    labels = {entry.label for entry in manifest.ok()}
    assert {"../../x", "; rm -rf $HOME", "<script>alert(1)</script>", "$(reboot)"} <= labels
    said = (home / "out" / "test.manifest.jsonl").read_text() + capsys.readouterr().err
    assert all(c.isprintable() or c == "\n" for c in said)
    assert max(len(entry.reason) + len(entry.source) for entry in manifest.entries) < 700
    data = ShardDataset(home / "out" / "test.manifest.jsonl")
    assert data.verify() == []
    assert {data.load(clip_id).label for clip_id in data.clip_ids} == labels
    names = [path.name for path in (home / "out").rglob("*") if path.is_file()]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)


@pytest.mark.slow
def test_a_dry_run_says_which_failures_may_be_tried_again(here: Path, capsys):
    write_video(here / "clips" / "ABCDEFGHIJK_000007.mp4", pictures(40), audio=click(0.4, 1.6))
    assert run(here) == 3
    capsys.readouterr()
    assert run(here, "--dry-run") == 0
    assert "failures" not in capsys.readouterr().err  # There is still no way to have the clips that are not here.
    write_video(here / "clips" / "_-AbCdEfGhI_000040.mp4", pictures(40), audio=click(0.4, 1.6))
    assert run(here, "--dry-run") == 0
    assert "test: 1 failures may go away: 1 may be tried now (--retry), 0 later" in capsys.readouterr().err
    assert run(here, "--retry") == 3
    assert read_manifest(here / "out" / "test.manifest.jsonl").counts()["ok"] == 2
