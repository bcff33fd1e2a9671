"""The page of a listening test: opaque, whole, and the same when made again."""

import json
import re

import numpy as np
import pytest
import soundfile

from foleybench.artefacts.listening import read_key
from foleybench.cli import main
from foleybench.errors import FoleyError
from foleybench.media.audio import write_wav
from foleybench.people.page import TestRequest, system_names, write_listening_test
from foleybench.shards.dataset import ShardDataset
from tests.made_media import click, pictures, write_video
from tests.people.conftest import SYSTEMS


def content_of(folder):
    html = (folder / "page" / "index.html").read_text()
    return html, json.loads(re.search(r'id="study">(.*?)</script>', html)[1])


def test_nothing_that_raters_get_names_a_system_or_a_clip(listening_test, studied):
    html, _ = content_of(listening_test)
    words = [*SYSTEMS, *ShardDataset(studied[0]).clip_ids, "ground_truth", "other_class", "clicks"]
    for path in (listening_test / "page").rglob("*"):
        assert not [word for word in words if word in path.name]
        assert not [word for word in words if path.is_file() and word.encode() in path.read_bytes()]
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    assert not list((listening_test / "page").rglob("*key*"))


def test_every_trial_has_its_files_and_the_key_knows_them(listening_test, studied):
    _, content = content_of(listening_test)
    key = read_key(listening_test / "key.json")
    assert content["study"] == key.study
    media = listening_test / "page" / "media"
    assert len(content["items"]) == 6 * 3 + 6
    data = ShardDataset(studied[0])
    for video, first, second, duration_s in content["items"]:
        (clip, one), (same, other) = key.sounds[first], key.sounds[second]
        assert clip == same
        assert duration_s == 1.0
        assert (media / f"{video}.mp4").read_bytes() == data.members(clip)["mp4"]
        assert ({one, other} <= set(SYSTEMS)) != ({one, other} == {"ground_truth", "other_class"})
        for sound in (first, second):
            samples, rate_hz = soundfile.read(media / f"{sound}.flac")
            assert (len(samples), rate_hz) == (16000, 16000)
    assert {code >> 1 for order in content["orders"] for code in order} <= set(range(24))
    assert {len(order) for order in content["orders"]} == {9 + 5}


def test_the_page_turns_trials_as_the_plan_does(listening_test):
    """Counted from what the page shows: a rater gets no pair of systems thrice the same way round."""
    _, content = content_of(listening_test)
    key = read_key(listening_test / "key.json")
    for order in content["orders"]:
        ways = {}
        for code in order:
            left, right = content["items"][code >> 1][1:3][:: -1 if code & 1 else 1]
            names = key.sounds[left][1], key.sounds[right][1]
            ways.setdefault(frozenset(names), []).append(names)
        assert sorted(map(len, ways.values())) == [3, 3, 3, 5]
        assert all(len(set(both)) == 2 for both in ways.values())


def test_the_checks_are_the_real_sound_and_another_class(listening_test, studied):
    key = read_key(listening_test / "key.json")
    data = ShardDataset(studied[0])
    for sound, (clip_id, system) in key.sounds.items():
        samples = soundfile.read(listening_test / "page" / "media" / f"{sound}.flac", dtype="float32")[0]
        if system == "ground_truth":
            np.testing.assert_allclose(samples, data.load(clip_id, video=False).audio, atol=1e-4)
        if system == "other_class":
            label = data.entry(clip_id).label
            others = [e.clip_id for e in data.entries() if e.label != label]
            assert any(np.allclose(samples, data.load(o, video=False).audio, atol=1e-4) for o in others)


def test_the_same_command_makes_the_same_page(studied, tmp_path):
    manifest, audio = studied
    made = [
        write_listening_test(TestRequest(data=manifest, audio=audio, out=tmp_path / name, n_checks=6)).page
        for name in ("one", "two")
    ]
    assert made[0].read_bytes() == made[1].read_bytes()
    other = write_listening_test(TestRequest(data=manifest, audio=audio, out=tmp_path / "three", n_checks=6, seed=1))
    assert other.page.read_bytes() != made[0].read_bytes()


def test_an_older_test_is_not_written_over(studied, listening_test, tmp_path, capsys):
    manifest, audio = studied
    words = ["listen", "--data", str(manifest), "--audio", *(f"{n}={p}" for n, p in audio.items())]
    before = (listening_test / "key.json").read_bytes()
    assert main([*words, "--out", str(listening_test)]) == 1
    assert "its votes need its key" in capsys.readouterr().err
    assert (listening_test / "key.json").read_bytes() == before
    own = tmp_path / "own" / "page"
    own.mkdir(parents=True)
    (own / "mine.txt").write_text("not a page of ours")
    assert main([*words, "--out", str(tmp_path / "own"), "--force", "--checks", "5"]) == 1
    assert "is there already, without a key" in capsys.readouterr().err
    assert (own / "mine.txt").exists()
    assert main([*words, "--out", str(tmp_path / "new"), "--checks", "5"]) == 0
    first = {path.name for path in (tmp_path / "new" / "page" / "media").iterdir()}
    assert main([*words, "--out", str(tmp_path / "new"), "--checks", "5", "--seed", "9", "--force"]) == 0
    assert not first & {path.name for path in (tmp_path / "new" / "page" / "media").iterdir()}


def test_a_broken_video_of_a_folder_is_a_clip_less(tmp_path, capsys):
    for index, name in enumerate(("door", "dog", "rain")):
        write_video(tmp_path / "videos" / f"{name}.mp4", pictures(25), audio=click(0.3, 1.0))
        write_wav(tmp_path / "one" / f"{name}.wav", click(0.1 * index, 1.0), 16000)
    (tmp_path / "videos" / "rain.mp4").write_bytes(b"no video")
    words = ["listen", "--data", str(tmp_path / "videos"), "--audio", f"a={tmp_path / 'one'}", "--reference", "system"]
    assert main([*words, "--out", str(tmp_path / "s"), "--checks", "5", "--anchor", "noise"]) == 1
    assert "--checks 5 needs 3 clips, there are 2" in capsys.readouterr().err
    assert not (tmp_path / "s" / "page").exists()
    (tmp_path / "videos" / "cat.mp4").write_bytes((tmp_path / "videos" / "dog.mp4").read_bytes())
    (tmp_path / "one" / "cat.wav").write_bytes((tmp_path / "one" / "dog.wav").read_bytes())
    assert main([*words, "--out", str(tmp_path / "s"), "--checks", "5", "--anchor", "noise"]) == 3
    assert "left out rain: " in capsys.readouterr().err


def test_audio_matches_videos_of_a_folder_as_in_eval(tmp_path):
    for name in ("one/0", "two/0"):
        write_video(tmp_path / "videos" / f"{name}.mp4", pictures(10), audio=click(0.1, 0.4))
        write_wav(tmp_path / "mine" / f"{name}.wav", click(0.2, 0.4), 16000)
        write_wav(tmp_path / "other" / f"{name}.wav", click(0.3, 0.4), 16000)
    words = [
        "listen",
        "--data",
        str(tmp_path / "videos"),
        "--audio",
        f"a={tmp_path / 'mine'}",
        f"b={tmp_path / 'other'}",
    ]
    assert main([*words, "--out", str(tmp_path / "s"), "--reference", "none"]) == 0
    assert set(read_key(tmp_path / "s" / "key.json").sources) == {"one-0", "two-0"}


def test_a_clip_without_every_sound_is_left_out_and_named(studied, tmp_path, capsys):
    manifest, audio = studied
    ids = ShardDataset(manifest).clip_ids
    few = tmp_path / "few"
    few.mkdir()
    for clip_id in ids[1:]:
        (few / f"{clip_id}.wav").write_bytes((audio["exact_one"] / f"{clip_id}.wav").read_bytes())
    (few / f"{ids[1]}.wav").write_bytes(b"RIFF no sound")
    words = ["listen", "--data", str(manifest), "--audio", f"few={few}", f"late={audio['late_one']}"]
    assert main([*words, "--out", str(tmp_path / "study"), "--reference", "system"]) == 3
    told = capsys.readouterr().err
    assert f"left out {ids[0]}: few has no file for it" in told
    assert f"left out {ids[1]}: few: " in told
    key = read_key(tmp_path / "study" / "key.json")
    assert set(key.sources) == set(ids[2:])
    assert key.systems == ("few", "late", "ground_truth")


def test_a_folder_of_videos_and_no_checks(tmp_path, capsys):
    for index, name in enumerate(("door", "dog")):
        sound = click(0.3 + 0.3 * index, 1.0)
        # In the folder as they come: VP9 has odd sizes too, which H.264 has not.
        write_video(
            tmp_path / "videos" / f"{name}.webm",
            pictures(25, 63, 49),
            audio=sound,
            codec="libvpx-vp9",
            audio_codec="libopus",
        )
        for system in ("one", "two"):
            write_wav(tmp_path / system / f"{name}.wav", np.roll(sound, 400 * index), 16000)
    words = ["listen", "--data", str(tmp_path / "videos"), "--audio", f"a={tmp_path / 'one'}", f"b={tmp_path / 'two'}"]
    assert main([*words, "--reference", "none", "--question", "Which is <louder>?", "--out", str(tmp_path / "s")]) == 0
    assert "checks: none, so nobody can be screened" in capsys.readouterr().err
    html, content = content_of(tmp_path / "s")
    assert len(content["items"]) == 2
    assert "<louder>" not in html
    assert content["question"] == "Which is <louder>?"
    key = read_key(tmp_path / "s" / "key.json")
    assert (key.reference, key.anchor) == (None, None)
    (video,) = {item[0] for item in content["items"] if key.sounds[item[1]][0] == "dog"}
    from foleybench.media.h264 import decode_mp4

    frames, _ = decode_mp4((tmp_path / "s" / "page" / "media" / f"{video}.mp4").read_bytes())
    assert len(frames) == 25


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"audio": {}}, "there is 0 system to compare"),
        ({"n_checks": 13}, "--checks 13 needs 7 clips"),
    ],
)
def test_what_is_refused(studied, tmp_path, changes, words):
    manifest, audio = studied
    with pytest.raises(FoleyError, match=words):
        write_listening_test(TestRequest(**{"data": manifest, "audio": audio, "out": tmp_path} | changes))


def test_names_of_the_checks_are_taken(tmp_path):
    with pytest.raises(FoleyError, match="'noise', which is a name of the checks"):
        system_names({"mine": tmp_path, "noise": tmp_path})


def test_no_clip_with_every_sound(studied, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FoleyError, match="no clip has the sound of every system"):
        write_listening_test(
            TestRequest(data=studied[0], audio={**studied[1], "empty": tmp_path / "empty"}, out=tmp_path / "s")
        )
