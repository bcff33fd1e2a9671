import numpy as np
import pytest
import torch

from foleybench.encoders.onsets import detect
from foleymodels._parts.mel import Mel, MelSettings, mel_filters
from foleymodels._vocoders.griffin_lim import griffin_lim

SETTINGS = MelSettings()


def clicks(times_s, n_samples=32000):
    audio = torch.zeros(1, n_samples)
    rng = np.random.default_rng(0)
    for time_s in times_s:
        start = round(time_s * 16000)
        burst = rng.standard_normal(1600) * np.exp(-np.arange(1600) / 300) * 0.3
        audio[0, start : start + 1600] += torch.from_numpy(burst).float()[: n_samples - start]
    return audio


@pytest.mark.parametrize(("n_samples", "n_tokens"), [(1, 1), (511, 1), (512, 1), (513, 2), (64000, 125)])
def test_tokens_cover_the_sound(n_samples, n_tokens):
    assert SETTINGS.n_tokens(n_samples) == n_tokens
    assert Mel(SETTINGS).tokens(torch.zeros(1, n_samples)).shape == (1, n_tokens, 128)


def test_token_centres_do_not_depend_on_the_length():
    assert SETTINGS.token_times_s(3).tolist() == pytest.approx([0.016, 0.048, 0.080])
    torch.testing.assert_close(SETTINGS.token_times_s(9)[:3], SETTINGS.token_times_s(3))


def test_a_full_scale_sine_peaks_at_half_in_its_own_bin():
    bin_hz = 16000 / 1024
    t = torch.arange(16000) / 16000
    spectrum = Mel(SETTINGS).magnitudes(torch.sin(2 * torch.pi * 64 * bin_hz * t)[None])
    middle = spectrum[0, :, 30]
    assert int(middle.argmax()) == 64
    assert float(middle.max()) == pytest.approx(0.5, abs=0.01)


def test_silence_is_the_floor_and_stays_silent():
    mel = Mel(SETTINGS)
    tokens = mel.tokens(torch.zeros(1, 16000))
    assert tokens.unique().tolist() == pytest.approx([(np.log10(3e-4) + 2.75) / 0.75])
    assert float(griffin_lim(mel, tokens, 16000, iterations=4).abs().max()) == 0.0


def test_energy_lands_in_the_token_that_covers_it():
    mel = Mel(SETTINGS)
    audio = torch.zeros(1, 16000)
    audio[0, 10 * 512 + 256] = 0.9
    level = mel.tokens(audio)[0].mean(-1)
    assert int(level.argmax()) == 10


def test_filters_cover_every_bin_between_the_edges():
    filters = mel_filters(SETTINGS)
    assert filters.shape == (64, 513)
    assert (filters.sum(0)[4:-20] > 0.3).all()
    assert filters.max() <= 1.0


def test_round_trip_keeps_level_and_onsets():
    mel = Mel(SETTINGS)
    audio = clicks([0.3, 0.8, 1.45])
    tokens = mel.tokens(audio)
    rebuilt = griffin_lim(mel, tokens, 32000, iterations=16)
    assert rebuilt.shape == (1, 32000)
    assert float((mel.tokens(rebuilt) - tokens).abs().mean()) < 0.25
    found = detect(rebuilt[0].numpy())[0]
    assert np.abs(found[:, None] - np.array([0.3, 0.8, 1.45])).min(0).max() < 0.05


def test_more_iterations_fit_the_magnitudes_better():
    mel = Mel(SETTINGS)
    tokens = mel.tokens(clicks([0.2, 0.9]))
    errors = [
        float((mel.tokens(griffin_lim(mel, tokens, 32000, iterations=n)) - tokens).abs().mean()) for n in (0, 4, 32)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_vocoder_is_deterministic_and_independent_of_the_batch():
    mel = Mel(SETTINGS)
    tokens = mel.tokens(torch.cat([clicks([0.3]), clicks([0.6])]))
    both = griffin_lim(mel, tokens, 32000, iterations=3)
    torch.testing.assert_close(both[:1], griffin_lim(mel, tokens[:1], 32000, iterations=3))
    assert torch.equal(both, griffin_lim(mel, tokens, 32000, iterations=3))
