"""``foleybench prepare``: exit codes, what goes to which stream, help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from foleybench.cli import main
from foleybench.shards.manifest import read_manifest
from tests.made_media import click, pictures, write_video


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / "videos" / name, pictures(30), audio=click(0.4, 1.2))
    return tmp_path / "videos"


def test_all_well_is_zero_and_stdout_holds_only_the_manifest(videos: Path, tmp_path: Path, capsys):
    assert main(["prepare", "folder", str(videos), "--out", str(tmp_path / "out"), "--jobs", "2"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'out' / 'test.manifest.jsonl'}\n"
    assert captured.err == "test: 2 ok\n"


@pytest.mark.usefixtures("workers_here")
def test_a_clip_without_sound_is_three(videos: Path, tmp_path: Path, capsys):
    write_video(videos / "c.mp4", pictures(30))
    arguments = ["prepare", "folder", str(videos), "--out", str(tmp_path / "out"), "--split", "val"]
    assert main(arguments) == 3
    assert capsys.readouterr().err == "val: 1 no_audio, 2 ok\n"
    assert main(arguments) == 3
    assert read_manifest(tmp_path / "out" / "val.manifest.jsonl").header.split == "val"


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(videos: Path, tmp_path: Path, capsys):
    assert main(["prepare", "folder", str(videos), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "test: 2 asked for, 0 refused by name, 0 staged, 2 to make\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("workers_here")
def test_a_change_of_recipe_is_one_and_force_helps(videos: Path, tmp_path: Path, capsys):
    arguments = ["prepare", "folder", str(videos), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert main([*arguments, "--clip-seconds", "1"]) == 1
    assert "profile.clip_s was" in capsys.readouterr().err
    assert main([*arguments, "--clip-seconds", "1", "--force"]) == 0


@pytest.mark.usefixtures("workers_here")
def test_a_name_of_its_own(videos: Path, tmp_path: Path):
    assert main(["prepare", "folder", str(videos), "--out", str(tmp_path / "out"), "--dataset-name", "mine"]) == 0
    assert read_manifest(tmp_path / "out" / "test.manifest.jsonl").header.dataset == "mine"


@pytest.mark.usefixtures("workers_here")
def test_without_out_it_goes_to_shards_by_the_name_of_the_data_set(videos: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", "folder", str(videos)]) == 0
    assert main(["prepare", "folder", str(videos), "--dataset-name", "mine"]) == 0
    assert capsys.readouterr().out == "shards/videos/test.manifest.jsonl\nshards/mine/test.manifest.jsonl\n"
    assert {path.name for path in (tmp_path / "shards").iterdir()} == {"videos", "mine"}


def test_help_says_where_it_goes(capsys):
    with pytest.raises(SystemExit):
        main(["prepare", "folder", "--help"])
    assert "default: shards/<name of the data set>" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("bad", [["--jobs", "0"], ["--time-limit", "0"], ["--time-limit", "nan"], ["--limit", "-1"]])
def test_wrong_options_are_two(videos: Path, tmp_path: Path, bad: list[str]):
    with pytest.raises(SystemExit) as caught:
        main(["prepare", "folder", str(videos), "--out", str(tmp_path / "out"), *bad])
    assert caught.value.code == 2


def test_help_lists_the_data_sets_without_importing_them():
    code = (
        "import sys\nfrom foleybench.cli import main\n"
        "try:\n    main(['prepare', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'numpy', 'av', 'torch'} & set(sys.modules), set(sys.modules)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "folder" in shown
    assert "synthfoley" in shown


def test_help_of_folder_is_light_and_complete():
    code = (
        "import sys\nfrom foleybench.cli import main\n"
        "try:\n    main(['prepare', 'folder', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'numpy', 'av', 'torch'} & set(sys.modules), set(sys.modules)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for option in ("--profile", "--clip-seconds", "--names", "--jobs", "--retry", "--dry-run", "--time-limit"):
        assert option in shown


@pytest.mark.slow
def test_synthfoley_gets_contact_sheets(tmp_path: Path, capsys):
    out = tmp_path / "out"
    arguments = ["prepare", "synthfoley", "--size", "tiny", "--splits", "test", "--limit", "2", "--out", str(out)]
    assert main(arguments) == 0
    sheets = sorted((out / "contact_sheets").glob("*.png"))
    labels = {entry.label for entry in read_manifest(out / "test.manifest.jsonl").ok()}
    assert {sheet.stem for sheet in sheets} == labels
    before = [sheet.stat().st_mtime_ns for sheet in sheets]
    assert main(arguments) == 0
    assert [sheet.stat().st_mtime_ns for sheet in sheets] == before
