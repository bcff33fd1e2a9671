"""The generator of any system that makes mel tokens: lengths, batches, windows, vocoder."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from foleybench.api.model import BuildContext
from foleybench.clips import Clip
from foleybench.errors import FoleyError, MediaError
from foleymodels._parts.mel import Mel
from foleymodels._parts.signal import SignalSettings
from foleymodels._vocoders.griffin_lim import griffin_lim
from foleymodels._vocoders.mel_generator import MelGenerator

SIGNAL = SignalSettings(window_s=1.28, vocoder_iterations=2)
MEL = Mel(SIGNAL.mel)


def clip(duration_s, name="a"):
    return Clip(
        clip_id=name, source_id=name, label="", split="test", duration_s=duration_s, frames=None,
        frame_times_s=np.zeros(0), audio=None, rate_hz=16000,
    )  # fmt: skip


def generator(make, signal=SIGNAL, **facts):
    return MelGenerator(make, signal, BuildContext(), **{"n_parameters": 5, "nfe": 3, **facts})


def noise_tokens(clips, windows, rng):
    return torch.from_numpy(rng.standard_normal((len(clips), windows.n, 128), dtype=np.float32))


@pytest.mark.parametrize("duration_s", [0.01, 0.3, 1.28, 1.2801, 3.777])
@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_audio_is_the_vocoder_of_the_tokens_and_exactly_as_long_as_the_clip(duration_s, rate_hz):
    signal = dataclasses.replace(SIGNAL, rate_hz=rate_hz)
    made = generator(noise_tokens, signal)
    assert made.rate_hz == rate_hz
    (audio,) = made.generate([clip(duration_s)], np.random.default_rng(1))
    n_samples = round(duration_s * rate_hz)
    tokens = noise_tokens([0], type("", (), {"n": signal.mel.n_tokens(n_samples)}), np.random.default_rng(1))
    wanted = griffin_lim(Mel(signal.mel), tokens, n_samples, iterations=2)[0].clamp(-1, 1)
    assert audio.shape == (n_samples,)
    assert audio.dtype == np.float32
    assert audio.flags["C_CONTIGUOUS"]
    assert audio.tobytes() == wanted.numpy().tobytes()


def test_windows_are_those_of_the_signal():
    seen = []

    def make(clips, windows, rng):
        seen.append((windows.n, windows.length))
        return torch.zeros(len(clips), windows.n, 128)

    generator(make).generate([clip(1.0), clip(3.2)], np.random.default_rng(0))
    assert seen == [(32, 32), (100, 40)]  # 1.28 s are 40 tokens


def test_a_system_of_short_stretches_makes_each_window_alone_and_cross_fades_them():
    """Each window is one level; between two windows the level goes from one to the other without a jump."""
    levels = torch.tensor([0.0, 1.0, 2.0])
    tokens = []

    def make(clips, windows, rng):
        assert windows.starts == (0, 30, 60)
        alone = levels[:, None, None].expand(-1, windows.length, 128)
        tokens.append(windows.merge(alone))
        return tokens[0]

    generator(make).generate([clip(3.2)], np.random.default_rng(0))
    course = tokens[0][0, :, 0]
    assert torch.equal(course[:30], torch.zeros(30))
    assert torch.equal(course[70:], torch.full((30,), 2.0))
    steps = course[30:40].diff()
    assert 0.0 < float(steps.min()) < float(steps.max()) < 0.12


def test_clips_of_one_length_are_one_batch_and_all_come_back_in_their_order():
    batches = []

    def make(clips, windows, rng):
        batches.append([one.clip_id for one in clips])
        level = torch.tensor([0.5 * int(one.clip_id) for one in clips])
        return level[:, None, None].expand(-1, windows.n, 128)

    clips = [clip(0.5, "0"), clip(0.7, "1"), clip(0.5, "2"), clip(0.7, "3")]
    sounds = generator(make).generate(clips, np.random.default_rng(0))
    assert batches == [["0", "2"], ["1", "3"]]
    assert [len(sound) for sound in sounds] == [8000, 11200, 8000, 11200]
    power = [float(np.square(sound).mean()) for sound in sounds]
    assert all(2 * before < after for before, after in itertools.pairwise(power))


def test_loud_audio_is_clipped_to_full_scale():
    (audio,) = generator(lambda clips, windows, rng: torch.full((1, windows.n, 128), 5.0)).generate(
        [clip(0.5)], np.random.default_rng(0)
    )
    assert np.abs(audio).max() == 1.0


def test_tokens_of_another_shape_are_refused():
    with pytest.raises(FoleyError, match=r"\(1, 7, 128\) were made; \(1, 16, 128\) are wanted"):
        generator(lambda clips, windows, rng: torch.zeros(1, 7, 128)).generate([clip(0.5)], np.random.default_rng(0))


def test_it_says_how_its_audio_is_made(tmp_path):
    made = generator(noise_tokens, guidance=2.5, sampler="heun")
    assert (made.nfe, made.guidance, made.sampler, made.n_parameters) == (3, 2.5, "heun", 5)
    assert made.vocoder == "griffin_lim, 2 iterations"
    with pytest.raises(FoleyError, match="no checkpoint"):
        MelGenerator(noise_tokens, SIGNAL, BuildContext(vocoder=tmp_path), n_parameters=5, nfe=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 100.5])
def test_tokens_that_are_no_sound_are_refused(value):
    """W3: the vocoder takes a NaN for silence and bounds the rest, so this is looked at before it."""

    def make(clips, windows, rng):
        tokens = noise_tokens(clips, windows, rng)
        tokens[0, 1, 2] = value
        return tokens

    with pytest.raises(MediaError, match=r"not_finite: 1 of \d+ mel tokens \(standard deviations\) are NaN, infinite"):
        generator(make).generate([clip(1.0)], np.random.default_rng(0))


def test_samples_that_are_no_sound_are_refused(monkeypatch):
    """W3: so is what a trained vocoder makes, before it is clipped to full scale."""
    made = generator(noise_tokens)
    monkeypatch.setattr(made, "_vocoder", lambda tokens, n_samples: torch.full((1, n_samples), 1001.0))
    with pytest.raises(MediaError, match="16000 of 16000 samples are NaN, infinite or beyond 1000"):
        made.generate([clip(1.0)], np.random.default_rng(0))
    monkeypatch.setattr(made, "_vocoder", lambda tokens, n_samples: torch.full((1, n_samples), 3.0))
    assert made.generate([clip(1.0)], np.random.default_rng(0))[0].max() == 1.0
