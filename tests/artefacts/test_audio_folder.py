"""Matching files to clips, and the policy for missing, broken, short, long and silent audio."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import soundfile

from foleybench.api.protocol import Protocol
from foleybench.artefacts.audio_folder import find_files, read_generation
from foleybench.errors import FoleyError
from foleybench.media.audio import write_wav
from foleybench.scoring.admit import admit

PROTOCOL = Protocol(title="t", version=1, description="d", metrics=(), headline={}, length_tolerance_s=0.0)
TONE = (0.3 * np.sin(np.arange(16000) * 0.3)).astype(np.float32)


def kinds(path, duration_s=1.0, protocol=PROTOCOL):
    audio, _, problems, _ = admit("a_000000", path, duration_s, protocol)
    return audio, [problem.kind for problem in problems]


def test_exact_stems_only(tmp_path):
    for name in ("a_000000.wav", "a_000000_extra.wav", "xa_000000.wav", "b_000000.flac", "b_000000.txt"):
        (tmp_path / name).touch()
    found = find_files(tmp_path, dict.fromkeys(["a_000000", "b_000000", "c_000000"], ""))
    assert {k: v.name for k, v in found.items()} == {"a_000000": "a_000000.wav", "b_000000": "b_000000.flac"}


def test_two_files_for_one_clip_are_refused(tmp_path):
    (tmp_path / "a_000000.wav").touch()
    (tmp_path / "a_000000.flac").touch()
    with pytest.raises(FoleyError, match="two files for clip 'a_000000'"):
        find_files(tmp_path, dict.fromkeys(["a_000000"], ""))


def test_name_map(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "gen.wav").touch()
    names = tmp_path / "names.csv"
    names.write_text("path,clip_id\nsub/gen.wav,a_000000\n")
    assert find_files(tmp_path, dict.fromkeys(["a_000000"], ""), names)["a_000000"] == tmp_path / "sub" / "gen.wav"
    names.write_text("file,id\nsub/gen.wav,a_000000\n")
    with pytest.raises(FoleyError, match="columns path,clip_id"):
        find_files(tmp_path, dict.fromkeys(["a_000000"], ""), names)


def test_good_sound_has_no_problem(tmp_path):
    write_wav(tmp_path / "a.wav", TONE, 16000)
    audio, found = kinds(tmp_path / "a.wav")
    assert found == []
    assert audio.shape == (16000,)


@pytest.mark.parametrize(
    ("silence_db", "peak", "expected"),
    [(-40.0, 0.0101, []), (-40.0, 0.0099, ["silent"]), (-60.0, 0.00101, []), (-60.0, 0.00099, ["silent"])],
)
def test_silence_is_a_peak_below_a_level_in_db(tmp_path, silence_db, peak, expected):
    """-40 dB is a hundredth of full scale, -60 dB a thousandth."""
    audio = np.zeros(16000, dtype=np.float32)
    audio[7000] = -peak
    soundfile.write(tmp_path / "a.wav", audio, 16000, subtype="FLOAT")
    assert kinds(tmp_path / "a.wav", protocol=dataclasses.replace(PROTOCOL, silence_db=silence_db))[1] == expected


@pytest.mark.parametrize(("n", "expected"), [(15840, []), (15839, ["short"]), (16160, []), (16161, ["long"])])
def test_the_tolerance_is_in_seconds(tmp_path, n, expected):
    write_wav(tmp_path / "a.wav", np.resize(TONE, n), 16000)
    tolerant = dataclasses.replace(PROTOCOL, length_tolerance_s=0.01)
    assert kinds(tmp_path / "a.wav", protocol=tolerant)[1] == expected


@pytest.mark.parametrize(("n", "expected"), [(15999, []), (15998, ["short"]), (16001, []), (16002, ["long"])])
def test_length_to_one_sample(tmp_path, n, expected):
    write_wav(tmp_path / "a.wav", np.resize(TONE, n), 16000)
    audio, found = kinds(tmp_path / "a.wav")
    assert found == expected
    assert audio.shape == (16000,)


def test_missing_and_broken_are_not_scored(tmp_path):
    assert kinds(None) == (None, ["missing"])
    broken = tmp_path / "a.wav"
    write_wav(broken, TONE, 16000)
    broken.write_bytes(broken.read_bytes()[:20])
    assert kinds(broken) == (None, ["undecodable"])


@pytest.mark.parametrize("n_channels", [1, 2])
def test_the_channels_of_the_file_are_told(tmp_path, n_channels):
    soundfile.write(tmp_path / "a.wav", np.stack([TONE] * n_channels, axis=1), 16000, subtype="PCM_16")
    assert admit("a_000000", tmp_path / "a.wav", 1.0, PROTOCOL).n_channels == n_channels


def test_sound_without_samples_is_named_and_not_scored(tmp_path):
    soundfile.write(tmp_path / "a.wav", TONE[:0], 16000, subtype="PCM_16")
    audio, _, problems, _ = admit("a_000000", tmp_path / "a.wav", 1.0, PROTOCOL)
    assert audio is None
    assert [(p.clip_id, p.kind, p.detail) for p in problems] == [("a_000000", "undecodable", "a.wav: holds no samples")]


def test_one_sample_is_scored_and_named(tmp_path):
    soundfile.write(tmp_path / "a.wav", TONE[1:2], 16000, subtype="PCM_16")
    audio, found = kinds(tmp_path / "a.wav")
    assert found == ["too_short"]
    assert audio.shape == (16000,)


@pytest.mark.parametrize(("n", "expected"), [(15200, ["short"]), (15199, ["too_short"]), (8000, ["too_short"])])
def test_sound_below_95_percent_of_its_clip_is_too_short(tmp_path, n, expected):
    write_wav(tmp_path / "a.wav", np.resize(TONE, n), 16000)
    assert kinds(tmp_path / "a.wav")[1] == expected


@pytest.mark.parametrize("cut_resampled", [False, True])
@pytest.mark.parametrize(
    ("n", "expected", "length"),
    [
        *((12799, [], 12800), (12798, ["short"], 12800), (12160, ["short"], 12800), (12159, ["too_short"], 12800)),
        *((12800, [], 12800), (14000, [], 14000), (16001, [], 16000), (16002, ["long"], 16000)),
    ],
)
def test_a_crop_asks_for_what_it_scores(tmp_path, n, expected, length, cut_resampled):
    """Of a clip of 1 s the first .8 s are scored: 12,800 samples."""
    write_wav(tmp_path / "a.wav", np.resize(TONE, n), 16000)
    cropped = dataclasses.replace(PROTOCOL, crop_s=0.8, cut_resampled=cut_resampled)
    audio, found = kinds(tmp_path / "a.wav", protocol=cropped)
    assert (found, len(audio)) == (expected, length)
    assert audio[: min(n, length)] == pytest.approx(np.resize(TONE, n)[:length], abs=2**-15)


def test_a_crop_longer_than_the_clip_asks_for_the_clip(tmp_path):
    write_wav(tmp_path / "a.wav", TONE, 16000)
    assert kinds(tmp_path / "a.wav", protocol=dataclasses.replace(PROTOCOL, crop_s=8.0)) == (
        pytest.approx(TONE, abs=2**-15),
        [],
    )


def test_what_is_too_short_says_what_is_scored(tmp_path):
    write_wav(tmp_path / "a.wav", TONE[:11200], 16000)
    problems = admit("a_000000", tmp_path / "a.wav", 1.0, dataclasses.replace(PROTOCOL, crop_s=0.8)).problems
    told = "0.7000 s of audio for a clip of 1.0000 s, of which the first 0.8 s are scored"
    assert [(p.kind, p.detail) for p in problems] == [("too_short", told)]


def test_nan_samples_are_not_scored(tmp_path):
    bad = TONE.copy()
    bad[5] = np.nan
    soundfile.write(tmp_path / "a.wav", bad, 16000, subtype="FLOAT")
    assert kinds(tmp_path / "a.wav") == (None, ["not_finite"])


def test_silence_is_scored_and_named(tmp_path):
    write_wav(tmp_path / "a.wav", np.zeros(16000, dtype=np.float32), 16000)
    audio, found = kinds(tmp_path / "a.wav")
    assert found == ["silent"]
    assert audio is not None


def test_truncated_wav_is_too_short_and_truncated(tmp_path):
    path = tmp_path / "a.wav"
    write_wav(path, TONE, 16000)
    path.write_bytes(path.read_bytes()[:9000])
    assert kinds(path)[1] == ["too_short", "truncated"]


def test_generation_file_must_be_an_object(tmp_path):
    assert read_generation(tmp_path) is None
    (tmp_path / "generation.json").write_text("[1]")
    with pytest.raises(FoleyError, match="not a JSON object"):
        read_generation(tmp_path)
