import dataclasses

import numpy as np
import pytest

from foleybench import registry
from foleybench.clips import Clip
from foleybench.errors import FoleyError
from foleybench.generate import generate_one
from foleybench.model import BuildContext
from foleybench.shards import ShardDataset
from foleymodels._controls import rms, shifted
from tests.foleymodels.toy import toy_corpus

CONTROLS = [
    "ground_truth",
    "other_clip",
    "other_class",
    "shift_100ms",
    "shift_500ms",
    "shift_1s",
    "shift_2s",
    "band_limited",
    "vocoded",
    "noise",
    "silence",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return ShardDataset(toy_corpus(tmp_path_factory.mktemp("toy"), "test", 6))


def sound(name, data, clip, seed=0):
    model = registry.load("models", name)
    return generate_one(model, model.build(BuildContext(data=data)), clip, seed)


def test_every_control_has_a_file():
    controls = {name for name in registry.names("models") if registry.load("models", name).kind == "control"}
    assert controls == set(CONTROLS)


@pytest.mark.parametrize("name", CONTROLS)
def test_length_and_seed(name, data):
    clip = data.load(data.clip_ids[0])
    first = sound(name, data, clip)
    assert first.shape == (20480,)
    assert first.dtype == np.float32
    assert np.array_equal(first, sound(name, data, clip))


@pytest.mark.parametrize("rate_hz", [8000, 22050, 48000])
def test_any_rate_and_an_odd_duration(rate_hz):
    duration_s = 1.2345
    audio = np.zeros(round(duration_s * rate_hz) - 1, dtype=np.float32)
    clip = Clip(
        clip_id="a_000000",
        source_id="a",
        label="x",
        split="test",
        duration_s=duration_s,
        frames=None,
        frame_times_s=np.zeros(0),
        audio=audio,
        rate_hz=rate_hz,
    )
    assert sound("ground_truth", None, clip).shape == (19752,)


def test_ground_truth_is_the_sound(data):
    clip = data.load(data.clip_ids[1])
    assert np.array_equal(sound("ground_truth", data, clip), clip.audio)


def test_shift_moves_by_the_exact_number_of_samples(data):
    clip = data.load(data.clip_ids[0])
    late = sound("shift_100ms", data, clip)
    assert np.array_equal(late[1600:], clip.audio[:-1600])
    assert not late[:1600].any()
    assert np.array_equal(sound("shift_500ms", data, clip)[8000:], clip.audio[:-8000])
    assert np.array_equal(sound("shift_1s", data, clip)[16000:], clip.audio[:-16000])
    assert not sound("shift_2s", data, clip).any()  # the clip is shorter than that
    assert not shifted(np.ones(10, dtype=np.float32), 1.0, 16000).any()


def test_other_clips_are_of_the_right_class_and_never_of_the_same_source(data):
    by_sound = {data.load(i).audio.tobytes(): data.entry(i) for i in data.clip_ids}
    clip = data.load(data.clip_ids[0])
    for seed in range(8):
        same = by_sound[sound("other_clip", data, clip, seed).tobytes()]
        other = by_sound[sound("other_class", data, clip, seed).tobytes()]
        assert same.label == clip.label
        assert same.source_id != clip.source_id
        assert other.label != clip.label


def test_other_clip_without_another_says_so(data, tmp_path):
    alone = ShardDataset(toy_corpus(tmp_path, "test", 2))
    with pytest.raises(FoleyError, match="no other clip of the same class"):
        sound("other_clip", alone, alone.load(alone.clip_ids[0]))
    with pytest.raises(FoleyError, match="--data"):
        sound("other_clip", None, data.load(data.clip_ids[0]))


def test_noise_has_the_level_of_the_truth_and_another_seed_another_noise(data):
    clip = data.load(data.clip_ids[0])
    noise = sound("noise", data, clip)
    assert rms(noise) == pytest.approx(rms(clip.audio), rel=0.05)
    assert not np.array_equal(noise, sound("noise", data, clip, seed=1))


def test_band_limited_has_nothing_above_4_khz(data):
    clip = data.load(data.clip_ids[0])
    power = np.abs(np.fft.rfft(sound("band_limited", data, clip))) ** 2
    truth = np.abs(np.fft.rfft(clip.audio)) ** 2
    above = np.fft.rfftfreq(20480, 1 / 16000) > 4200
    assert power[above].sum() < 1e-2 * truth[above].sum()
    assert power[~above].sum() > 0.8 * truth[~above].sum()


def test_silence_is_silent(data):
    assert not sound("silence", data, data.load(data.clip_ids[0])).any()


def test_a_clip_without_sound_is_refused(data):
    clip = dataclasses.replace(data.load(data.clip_ids[0]), audio=None)
    with pytest.raises(FoleyError, match="has no sound"):
        sound("ground_truth", data, clip)
