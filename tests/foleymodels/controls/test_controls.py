import dataclasses

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.model import BuildContext
from foleybench.clips import Clip
from foleybench.errors import FoleyError
from foleybench.generation.folder import GenerationSettings, generate_folder, generate_one
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.shards.dataset import ShardDataset
from foleymodels.controls._change import rms, shifted
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
    assert controls == {*CONTROLS, "vocoder", "codec"}  # trained first: see test_vocoder.py, test_codec.py


@pytest.mark.parametrize("name", CONTROLS)
def test_length_and_seed(name, data):
    clip = data.load(data.clip_ids[0])
    first = sound(name, data, clip)
    assert first.shape == (20480,)
    assert first.dtype == np.float32
    assert np.array_equal(first, sound(name, data, clip))


def a_clip(rate_hz, duration_s=1.2345):
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, round(duration_s * rate_hz) - 1).astype(np.float32)
    return Clip(
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


@pytest.mark.parametrize(("rate_hz", "n_samples"), [(8000, 9876), (22050, 27221), (48000, 59256)])
def test_taken_and_moved_sound_keeps_its_rate_whatever_it_is(rate_hz, n_samples):
    clip = a_clip(rate_hz)
    assert np.array_equal(sound("ground_truth", None, clip), np.append(clip.audio, np.float32(0)))
    late = round(0.1 * rate_hz)
    assert np.array_equal(sound("shift_100ms", None, clip)[late:-1], clip.audio[: n_samples - 1 - late])
    for name in ("noise", "silence"):
        assert sound(name, None, clip).shape == (n_samples,)
    for name in ("band_limited", "vocoded"):
        assert sound(name, None, clip).shape == (19752,)


def test_another_clips_sound_comes_at_the_clips_own_rate(data):
    clip = dataclasses.replace(a_clip(44100), clip_id=data.clip_ids[0], label=data.entry(data.clip_ids[0]).label)
    assert sound("other_clip", data, clip).shape == (54441,)


@pytest.mark.parametrize("rate_hz", [16000, 44100])
def test_ground_truth_is_ideal_for_every_metric_of_the_signal(rate_hz, tmp_path):
    data = toy_corpus(tmp_path, "test", 2, rate_hz=rate_hz)
    audio = generate_folder(GenerationSettings(model="ground_truth"), data, tmp_path / "audio", limit=None, force=False)
    model = {"name": "ground_truth", "kind": "control"}
    result, _ = evaluate(EvalRequest(data=data, audio=audio, protocol="signal", model=model, resamples=20))
    assert result["status"] == "complete"
    for name, record in result["metrics"].items():
        assert record["value"] == pytest.approx(registry.load("metrics", name).ideal, abs=1e-9), name


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


def test_a_clip_without_audio_is_refused(data):
    clip = dataclasses.replace(data.load(data.clip_ids[0]), audio=None)
    with pytest.raises(FoleyError, match="has no audio"):
        sound("ground_truth", data, clip)
