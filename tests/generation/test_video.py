"""Audio for a person's video: exact length, takes by seed, loudness, video copied, original dropped or mixed."""

import dataclasses
import json

import av
import numpy as np
import pytest

from foleybench.api.model import Model
from foleybench.cli import main
from foleybench.errors import FoleyError
from foleybench.generation import folder as generation
from foleybench.generation.folder import GenerationSettings
from foleybench.generation.video import TakeSettings, _read_original, _short_side_px, sound_for_video
from foleybench.media.audio import read_sound, resample
from foleybench.media.loudness import integrated_lufs
from foleybench.media.read import read_media_sound, read_video
from tests.made_media import click, click_time_s, pictures, write_video

RATE_HZ = 16000
SETTINGS = GenerationSettings(model="hiss.py:MODEL")


class Hiss:
    """Quiet noise of the exact length."""

    rate_hz, nfe, guidance = RATE_HZ, 0, None

    def generate(self, clips, rng):
        return [0.003 * rng.standard_normal(round(c.duration_s * RATE_HZ)).astype(np.float32) for c in clips]


@pytest.fixture(autouse=True)
def _hiss(monkeypatch):
    card = Model(
        title="Hiss",
        kind="model",
        sees=frozenset({"video"}),
        licence="MIT",
        description="",
        build=lambda context: Hiss(),
    )
    monkeypatch.setattr(generation, "load_model", lambda name: card)


def packets(path):
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        return video.codec_context.name, [bytes(packet) for packet in container.demux(video) if packet.size]


@pytest.mark.slow
@pytest.mark.parametrize(("fps", "n"), [(24.0, 61), (30000 / 1001, 61), (50.0, 61), (24.0, 552)])
def test_sound_is_as_long_as_the_picture_to_a_sample(tmp_path, fps, n):
    video = write_video(tmp_path / "v.mp4", pictures(n, 32, 32), fps=fps)
    wav, movie, _ = sound_for_video(SETTINGS, video, tmp_path / "out", TakeSettings())
    duration_s = read_video(video).duration_s  # by the file's own clock; 552 frames at 24 are 23 s
    exact = round(duration_s * RATE_HZ)
    assert duration_s == pytest.approx(n / fps, abs=5e-5)
    assert len(read_sound(wav)[0]) == exact
    with av.open(str(movie)) as container:
        sound, picture = container.streams.audio[0], container.streams.video[0]
        assert round(sound.duration * sound.time_base * RATE_HZ) == exact
        assert abs(picture.duration * picture.time_base - n / fps) < 1e-3
    assert packets(movie) == packets(video)


def test_takes_are_what_their_seeds_give(tmp_path):
    video = write_video(tmp_path / "v.mp4", pictures(25))
    files = sound_for_video(SETTINGS, video, tmp_path / "three", TakeSettings(takes=3))
    names = [path.name for path in files]
    assert names == [*(f"v.take{k}.{suffix}" for k in (1, 2, 3) for suffix in ("wav", "mp4")), "v.json"]
    sounds = [files[k].read_bytes() for k in (0, 2, 4)]
    assert len(set(sounds)) == 3
    for seed in range(3):
        alone = dataclasses.replace(SETTINGS, seed=seed)
        assert sound_for_video(alone, video, tmp_path / str(seed), TakeSettings())[0].read_bytes() == sounds[seed]
    record = json.loads(files[-1].read_text())
    assert [take["seed"] for take in record["takes"]] == [0, 1, 2]
    assert record["model"]["title"] == "Hiss"


@pytest.mark.parametrize("target", [-23.0, -16.0])
def test_loudness_is_what_was_asked(tmp_path, target):
    video = write_video(tmp_path / "v.mp4", pictures(50))
    wav = sound_for_video(SETTINGS, video, tmp_path, TakeSettings(loudness_lufs=target))[0]
    assert integrated_lufs(resample(*read_sound(wav), 48000)) == pytest.approx(target, abs=0.05)


def test_without_a_loudness_the_model_keeps_its_level(tmp_path):
    video = write_video(tmp_path / "v.mp4", pictures(50))
    wav = sound_for_video(SETTINGS, video, tmp_path, TakeSettings(loudness_lufs=None))[0]
    assert np.sqrt(np.mean(read_sound(wav)[0] ** 2)) == pytest.approx(0.003, rel=0.05)


def test_the_original_is_dropped_or_mixed_side_by_side(tmp_path):
    sides = np.stack([click(0.3, 1.0, level=0.4), click(0.7, 1.0, level=0.4)])
    video = write_video(tmp_path / "v.mkv", pictures(25), audio=sides, audio_codec="pcm_s16le")
    dropped = sound_for_video(SETTINGS, video, tmp_path / "a", TakeSettings(loudness_lufs=None))[1]
    assert np.abs(read_media_sound(dropped)[0]).max() < 0.1
    mixed = sound_for_video(SETTINGS, video, tmp_path / "b", TakeSettings(loudness_lufs=None, original="mix"))[1]
    for channels, at_s in (("first", 0.3), ("mean", 0.3)):
        sound, rate_hz = read_media_sound(mixed, channels)
        assert click_time_s(sound, rate_hz) == pytest.approx(at_s, abs=2e-3)
    left, right = _read_original(mixed)[0]
    assert click_time_s(right, RATE_HZ) == pytest.approx(0.7, abs=2e-3)
    quiet = slice(round(0.4 * RATE_HZ), round(0.6 * RATE_HZ))
    assert np.std(left[quiet]) == pytest.approx(0.003, rel=0.3)


def test_the_original_lies_on_the_pictures_clock(tmp_path):
    times = [2 + k / 25 for k in range(25)]
    video = write_video(tmp_path / "v.mkv", pictures(25), times_s=times, audio=click(2.4, 3.0))
    movie = sound_for_video(SETTINGS, video, tmp_path / "o", TakeSettings(loudness_lufs=None, original="mix"))[1]
    assert click_time_s(*read_media_sound(movie)) == pytest.approx(0.4, abs=2e-3)


def test_mixing_into_a_silent_video_is_the_new_sound(tmp_path):
    video = write_video(tmp_path / "v.mp4", pictures(10))
    wav, movie, _ = sound_for_video(SETTINGS, video, tmp_path / "o", TakeSettings(loudness_lufs=None, original="mix"))
    new, heard = read_sound(wav)[0], read_media_sound(movie)[0]
    assert np.std(heard) == pytest.approx(0.003, rel=0.1)
    assert np.corrcoef(new, heard[: len(new)])[0, 1] > 0.9


def test_a_picture_that_no_mp4_takes_is_copied_into_matroska(tmp_path):
    video = write_video(tmp_path / "v.avi", pictures(10), codec="mpeg4")
    movie = sound_for_video(SETTINGS, video, tmp_path / "o", TakeSettings())[1]
    assert movie.name == "v.mkv"
    assert packets(movie) == packets(video)


def test_a_long_video_is_read_smaller_and_that_is_said(tmp_path, monkeypatch, capsys):
    video = write_video(tmp_path / "v.mp4", pictures(25))
    assert _short_side_px(video) == 256
    monkeypatch.setattr("foleybench.generation.video._PICTURE_BYTES", 25 * 64 * 64 * 3 * 3)
    assert _short_side_px(video) == 64
    assert "read at 64 px" in capsys.readouterr().err


def test_what_makes_no_sense_is_refused(tmp_path, capsys):
    video = write_video(tmp_path / "v.mp4", pictures(5))
    with pytest.raises(FoleyError, match="at least one take"):
        sound_for_video(SETTINGS, video, tmp_path, TakeSettings(takes=0))
    words = ["generate", "--model", "x", "--out", str(tmp_path / "o")]
    assert main([*words, "--data", "m.jsonl", "--takes", "2"]) == 1
    assert "--takes goes with --video" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*words, "--video", str(video), "--loudness", "3"])


def test_the_command_takes_none_for_the_models_level(tmp_path, capsys):
    video = write_video(tmp_path / "v.mp4", pictures(50))
    words = ["generate", "--model", "x", "--video", str(video), "--out", str(tmp_path / "o")]
    assert main([*words, "--loudness", "none", "--takes", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert np.sqrt(np.mean(read_sound(tmp_path / "o" / "v.take1.wav")[0] ** 2)) == pytest.approx(0.003, rel=0.05)
