"""What is shown of a folder of shards: right figures, in text, on the page and on the card; nothing let through."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest

from foleybench.cli import main
from foleybench.dataset_card import card, plots, words
from foleybench.dataset_card.counts import read_overview
from foleybench.dataset_card.page import N_THUMBNAILS, render_card
from foleybench.prepare.duplicate_flags import read_between
from foleybench.shards.manifest import Entry, Header, manifest_path, read_manifest, write_manifest
from tests.dataset_card.conftest import HOSTILE


def test_figures(folder: Path):
    overview = read_overview(folder / "test.manifest.jsonl")
    manifest = read_manifest(folder / "test.manifest.jsonl")
    assert overview.sha256 == manifest.sha256
    assert dict(overview.statuses) == manifest.counts()
    assert (overview.n_asked, overview.n_ok, overview.seconds) == (10, 6, 12.0)
    assert dict(overview.flags) == {"silent": 1, "out_of_step": 1, "short": 1, "duplicate": 1}
    assert overview.values["av_offset_s"] == [0.0, 2.5, 0.0, 0.04, 0.0, -0.02]
    assert overview.values["content_offset_s"] == []
    assert dict(overview.sizes) == {"640x360": 3, "640x362": 3}
    assert overview.copies == [("clip03_000000", "clip00_000000", "near")]
    short = overview.reasons["too_short", "# s of it"]
    assert (short.n, short.words, short.clip_ids) == (2, "0.3 to 0.45 s of it", ["lost1_000000", "lost2_000000"])
    assert overview.reasons["no_audio", "the file holds no audio"].words == "the file holds no audio"
    assert overview.shard_bytes() == {"test-000000.tar": (folder / "test-000000.tar").stat().st_size}
    assert read_overview(folder / "train.manifest.jsonl").shard_bytes() == {"train-000000.tar": None}


def test_text(folder: Path, capsys):
    assert main(["show", str(folder)]) == 0
    text = capsys.readouterr().out
    for line in (
        "clicks/test: 10 clips asked for, 6 ok (12 s)",
        "  status too_short: 2 (20.0 %)",
        "  2 too_short: 0.3 to 0.45 s of it (lost1_000000, lost2_000000)",
        "  flag out_of_step: 1 (16.7 %)",
        "  clip03_000000 is a copy of clip00_000000 (near)",
        "  shards: 1, 0.0 MB; 1 are not here",
        "copies between splits: 1",
        "  train/twin_000000 is a copy of test/clip01_000000 (exact)",
    ):
        assert line in text.splitlines(), line


def test_page(folder: Path, tmp_path: Path, capsys):
    page = tmp_path / "sub" / "page.html"
    assert main(["show", str(folder), "--html", str(page)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(page)
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/jpeg;base64,") == 6
    assert html.count("<svg") == html.count("</svg>") >= 10
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    assert "beside the manifest" in html.partition('id="split-2"')[0]
    assert "beside the manifest" not in html.partition('id="split-2"')[2]  # the shards of train are not here


def test_page_beside_the_manifests_and_without_pictures(folder: Path, tmp_path: Path, capsys):
    home = tmp_path / "home"
    shutil.copytree(folder, home)
    assert main(["show", str(home), "--html", "--thumbnails", "0"]) == 0
    assert "data:image/jpeg" not in (home / "overview.html").read_text(encoding="utf-8")


def test_a_damaged_clip_is_said_on_the_page(folder: Path, tmp_path: Path):
    home = tmp_path / "home"
    shutil.copytree(folder, home)
    shard = home / "test-000000.tar"
    data = bytearray(shard.read_bytes())
    at = data.index(b"mdat") + 40
    data[at] ^= 0xFF
    shard.write_bytes(bytes(data))
    html = render_card([read_overview(home / "test.manifest.jsonl")], None, n_thumbnails=N_THUMBNAILS)
    assert html.count("data:image/jpeg;base64,") == 5
    assert "SHA-256 differs" in html


def test_many_classes_and_shards_stay_readable(large: Path):
    overview = read_overview(large)
    text = "\n".join(words.summary_lines(overview))
    assert "429 timeout: not done after 0 to 2996 s (c00000_000000, c00007_000000" in text
    assert len(text) < 40_000
    html = render_card([overview], None, n_thumbnails=N_THUMBNAILS)
    assert "300 classes" in html
    assert len(html) < 120_000


def test_card(folder: Path, tmp_path: Path, capsys):
    home = tmp_path / "home"
    shutil.copytree(folder, home)
    assert main(["show", str(home), "--card"]) == 0
    text = (home / "README.md").read_text(encoding="utf-8")
    assert f"`{read_manifest(home / 'test.manifest.jsonl').sha256}`" in text
    assert "- 2 of 10 could not be had: `too_short`" in text
    assert "- 1 of 6 are flagged `silent`: never louder than -60 dB of full scale" in text
    assert HOSTILE not in text
    assert main(["show", str(home), "--card"]) == 0
    assert (home / "README.md").read_text(encoding="utf-8") == text
    (home / "README.md").write_text("mine")
    assert main(["show", str(home), "--card"]) == 1
    assert (home / "README.md").read_text() == "mine"
    assert "stays" in capsys.readouterr().err


def test_the_card_of_a_known_data_set_has_licence_and_citation(folder: Path):
    overviews = [read_overview(folder / "test.manifest.jsonl")]
    text = "\n".join(card.card_lines(overviews, "vggsound"))
    assert "CC BY 4.0" in text
    assert "ICASSP 2020" in text
    assert "foleybench prepare vggsound" in text


def test_every_flag_is_explained():
    code = (Path(card.__file__).parents[1] / "prepare" / "normalise" / "normalise.py").read_text(encoding="utf-8")
    found = code.partition("found = {")[2].partition("}")[0]
    flags = set(re.findall(r'^ +"([a-z_]+)":', found, re.MULTILINE))
    assert {"silent", "still", "clipped", "out_of_step", "hdr"} <= flags
    heard = {"cancelled", "closed_gap", "other_tracks", "sound_gap"}  # of ``media.hear``
    assert flags | {"damaged", "truncated", "duplicate", "same_sound", "sound_only", *heard} == set(card._FLAG_WORDS)


@pytest.mark.parametrize("values", [[0.0], [5.0] * 9, [1e-9, 1e9], [-3.0, 0.0, 3.0], [10.0, 10.0000001]])
def test_histograms_hold_every_value(values: list[float]):
    svg = str(plots.histogram("t", values, "s"))
    counted = [int(n) for n in re.findall(r": (\d+)</title></rect>", svg)]
    assert sum(counted) == len(values)


def test_a_damaged_manifest_is_named(tmp_path: Path, capsys):
    (tmp_path / "test.manifest.jsonl").write_text("{}\n")
    assert main(["show", str(tmp_path)]) == 1
    assert "line 1 is not a header" in capsys.readouterr().err


def test_copies_are_not_shown_for_other_manifests(folder: Path, tmp_path: Path):
    home = tmp_path / "home"
    shutil.copytree(folder, home)
    assert len(read_between(home) or []) == 1
    with (home / "train.manifest.jsonl").open("a") as handle:
        handle.write(" \n")
    assert read_between(home) is None


def test_many_classes_are_counted_by_their_clips(tmp_path: Path):
    """P14: 328 lines for five clips, nearly all `0 of 50`."""
    known = [f"class {n:02d}" for n in range(41)]
    entries = [
        Entry(clip_id=f"c{n:04d}_000000", source="", source_id=f"c{n:04d}", label=known[n % 41], status="not_here")
        for n in range(82)
    ]
    kept = [dataclasses.replace(entries[n], status="ok", facts={"duration_s": 1.0}) for n in (0, 1, 41)]
    there = {one.clip_id: one for one in kept}
    path = manifest_path(tmp_path, "test")
    header = Header(dataset="many", split="test", version=1, profile={}, tools={})
    write_manifest(path, header, [there.get(one.clip_id, one) for one in entries])
    lines = list(words.summary_lines(read_overview(path)))
    assert "  classes: 41, 0 to 2 usable clips each, median 0" in lines
    assert lines[-1] == "  usable clips a class: 0 in 39 classes, 2 in 1 class, 1 in 1 class"
    assert not any("label" in line for line in lines)


def test_hostile_labels_do_no_harm(hostile: Path, capsys):
    page = hostile.parent / "page.html"
    assert main(["show", str(hostile), "--html", str(page), "--card"]) == 0
    html, text = page.read_text(encoding="utf-8"), capsys.readouterr().out
    assert html.count("data:image/jpeg;base64,") == 3
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert" in html
    for shown in (html, text, (hostile.parent / "README.md").read_text(encoding="utf-8")):
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028\u2029]", shown), "letters that turn the text around"
    assert max(map(len, text.splitlines())) < 1000


@pytest.mark.parametrize("clip_id", ["<script>alert(1)</script>", "../../x", "a\u202eb_000000", "x" * 10_000])
def test_a_hostile_id_is_refused(hostile: Path, clip_id: str, capsys):
    lines = hostile.read_text(encoding="utf-8").split("\n")
    record = json.loads(lines[1])
    record["clip_id"] = clip_id
    lines[1] = json.dumps(record)
    hostile.write_text("\n".join(lines), encoding="utf-8")
    page = hostile.parent / "page.html"
    assert main(["show", str(hostile), "--html", str(page)]) == 1
    assert not page.exists()
    said = capsys.readouterr().err
    assert "line 2" in said
    assert "\u202e" not in said
    assert len(said) < 1000
