"""The verb ``report``: exit codes, what goes to which stream, bad options."""

import pytest

from foleybench.cli import main
from foleybench.media.audio import write_wav
from foleybench.shards.dataset import ShardDataset
from tests.made_media import click, pictures, write_video
from tests.made_results import make_result


@pytest.fixture(scope="module")
def mine(clicks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    data = ShardDataset(clicks)
    for clip_id in data.clip_ids:
        write_wav(folder / f"{clip_id}.wav", data.load(clip_id, video=False).audio, 16000)
    return folder


def test_page_and_seed_are_told(clicks, mine, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert main(["report", "--data", str(clicks), "--audio", f"mine={mine}", "--clips", "2", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{out}\n"
    assert "clips drawn with seed 0: clip" in captured.err
    assert out.read_text().startswith("<!doctype html>")


def test_results_of_another_name_are_told(clicks, mine, tmp_path, capsys):
    path = make_result(tmp_path, "other", clip_ids=ShardDataset(clicks).clip_ids, metrics=("event_f1",))
    words = ["report", "--data", str(clicks), "--audio", f"mine={mine}", "--clips", "1", "--results", str(path)]
    assert main([*words, "--out", str(tmp_path / "report.html")]) == 0
    assert "--results of other: not shown; give the audio folder that name" in capsys.readouterr().err


def test_missing_sound_ends_with_three(clicks, mine, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    words = ["report", "--data", str(clicks), "--audio", f"mine={mine}", f"none={empty}", "--clips", "1"]
    assert main([*words, "--out", str(tmp_path / "report.html")]) == 3
    assert "none, clip" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (["mine"], "is not NAME=PATH"),
        (["=x"], "is not NAME=PATH"),
        (["a=x", "a=y"], "names 'a' twice"),
        (["a=/nowhere"], "no folder at /nowhere"),
    ],
)
def test_bad_options(clicks, tmp_path, capsys, audio, message):
    assert main(["report", "--data", str(clicks), "--audio", *audio, "--out", str(tmp_path / "r.html")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_name_map(clicks, mine, tmp_path):
    first = sorted(mine.iterdir())[0]
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "one.wav").write_bytes(first.read_bytes())
    table = tmp_path / "names.csv"
    table.write_text(f"path,clip_id\none.wav,{first.stem}\n")
    words = ["report", "--data", str(clicks), "--audio", f"other={folder}", "--names", f"other={table}"]
    assert main([*words, "--out", str(tmp_path / "report.html")]) == 3
    assert (tmp_path / "report.html").read_text().count("data:audio/flac") == 6 + 1


@pytest.fixture
def videos(tmp_path):
    """A folder of videos whose names are equal in two subfolders, and the audio of a system under the same names."""
    for index, name in enumerate(("one/0", "two/0", "a dog")):
        sound = click(0.2 + 0.2 * index, 1.0)
        write_video(tmp_path / "videos" / f"{name}.mp4", pictures(25), audio=sound)
        write_wav(tmp_path / "mine" / f"{name}.wav", sound, 16000)
    return tmp_path / "videos"


def report_on(videos, *more):
    out = videos.parent / "r.html"
    words = ["report", "--reference", str(videos), "--audio", f"mine={videos.parent / 'mine'}", "--out", str(out)]
    return main([*words, *more]), out


def test_a_folder_of_videos(videos, capsys):
    code, out = report_on(videos)
    assert (code, capsys.readouterr().err.count("mine, ")) == (0, 0)
    html = out.read_text()
    assert html.count("data:video/mp4;base64,") == 3
    assert html.count("data:audio/flac;base64,") == 6
    assert (html.count("Onsets matched"), html.count("Events matched"), html.count("off screen")) == (6, 0, 0)
    assert "0 / 0" not in html


def test_a_broken_video_and_a_sound_alone_are_not_shown(videos, capsys):
    (videos / "a dog.mp4").write_bytes(b"no video")
    write_wav(videos / "rain.wav", click(0.3, 1.0), 16000)
    code, out = report_on(videos)
    assert code == 3
    told = capsys.readouterr().err
    assert "real audio, a-dog: " in told
    assert "rain" not in told
    assert "would make the page larger" not in told
    assert out.read_text().count("data:video/mp4;base64,") == 2


def test_a_folder_without_a_picture_that_can_be_shown(videos, capsys):
    for path in videos.rglob("*.mp4"):
        path.write_bytes(b"no video")
    assert report_on(videos)[0] == 1
    assert "none of the clips drawn can be shown. " in capsys.readouterr().err
    for path in videos.rglob("*.mp4"):
        path.unlink()
    write_wav(videos / "rain.wav", click(0.3, 1.0), 16000)
    code, out = report_on(videos)
    assert code == 1
    assert "0 usable clips with video" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(("more", "message"), [(["--data", "x"], "not allowed with"), (None, "no folder at")])
def test_bad_folders_of_videos(videos, tmp_path, capsys, more, message):
    if more:
        with pytest.raises(SystemExit):
            report_on(videos, *more)
    else:
        words = ["report", "--reference", str(tmp_path / "nowhere"), "--audio", f"mine={videos}"]
        assert main([*words, "--out", str(tmp_path / "r.html")]) == 1
    assert message in capsys.readouterr().err
