"""The trained vocoder: exact lengths, steady tones, resuming, and what it is refused for."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext, TrainContext
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.generation.folder import GenerationSettings, build_generator, generate_one, row_title
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.mel import Mel, MelSettings
from foleymodels._parts.settings import SIZES
from foleymodels._parts.signal import SignalSettings
from foleymodels._vocoders import vocos
from foleymodels._vocoders.choose import vocoder_of
from foleymodels._vocoders.train_vocos import spectral_distance, vocoder_recipe
from foleymodels._vocoders.vocos import Vocos, VocosShape
from foleymodels.controls import vocoder
from tests.foleymodels.small import figures

MEL = SignalSettings().mel
SMALL = {"dim": "8", "hidden": "8", "blocks": "1", "batch": "2", "crop_s": "0.3"}


def train(corpus, out, steps=4, **settings):
    context = TrainContext(
        data=corpus["train"], val=corpus["val"], out=out, steps=steps, settings={**SMALL, **settings}
    )
    with figures(False):
        return registry.load("models", "vocoder").train(context)


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    return train(corpus, tmp_path_factory.mktemp("vocoder"))


@pytest.mark.parametrize("n_samples", [1, 511, 512, 16000, 20001])
def test_length_is_exact_and_the_same_tokens_give_the_same_sound(trained, n_samples):
    tokens = Mel(MEL).tokens(0.1 * torch.randn(2, n_samples))
    made = vocoder_of(BuildContext(vocoder=trained), MEL, 16)
    first = made(tokens, n_samples)
    assert first.shape == (2, n_samples)
    assert torch.isfinite(first).all()
    assert torch.equal(first, made(tokens, n_samples))


@pytest.mark.parametrize("bins", [40.0, 40.37, 61.5])
def test_a_carrier_turns_steadily_at_any_frequency(bins):
    """Without the carrier, steady frames could only give multiples of 62.5 Hz, which are four bins apart."""
    module = Vocos(MEL, VocosShape(dim=4, hidden=4, blocks=1))
    nearest = round(bins)
    detune = torch.full((1, 200, 513), float(np.arctanh((bins - nearest) / 2)))
    phase = module._carrier(detune)[0, :, nearest]
    step = (2 * torch.pi * bins * MEL.hop / MEL.n_fft) % (2 * torch.pi)
    turned = torch.remainder(phase.diff() - step + torch.pi, 2 * torch.pi) - torch.pi
    assert turned.abs().max() < 1e-3


@pytest.mark.slow
def test_training_comes_nearer_to_the_sound(corpus, tmp_path):
    folder = train(corpus, tmp_path, steps=60, dim="32", hidden="64", batch="4")
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.95 * lines[0]["loss"]
    measured = json.loads((folder / "metrics.json").read_text())
    assert measured["validation_clips"] == 4
    assert measured["parameters"] == sum(
        p.numel() for p in Vocos(MEL, VocosShape(dim=32, hidden=64, blocks=1)).parameters()
    )
    assert {"vocoder_mel", "griffin_lim_mel", "vocoder_spectral", "griffin_lim_spectral"} < set(measured)


def test_a_killed_training_goes_on_to_the_same_bits(corpus, trained, tmp_path, monkeypatch):
    real = vocoder.loss_of

    def dying(*args):
        losses = real(*args)

        def until_two(step, generator):
            if step == 2:
                raise KeyboardInterrupt
            return losses(step, generator)

        return until_two

    monkeypatch.setattr(vocoder, "loss_of", dying)
    monkeypatch.setattr("foleymodels._training.loop.time.monotonic", iter(range(0, 10**6, 1000)).__next__)
    with pytest.raises(KeyboardInterrupt):
        train(corpus, tmp_path)
    assert (tmp_path / "state.safetensors").is_file()
    monkeypatch.undo()
    train(corpus, tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
    assert not (tmp_path / "state.safetensors").exists()


def test_a_finished_vocoder_is_kept_and_another_is_not_returned_for_it(corpus, trained):
    assert train(corpus, trained) == trained
    with pytest.raises(FoleyError, match="another origin"):
        train(corpus, trained, steps=5)
    with pytest.raises(FoleyError, match="makes no samples"):
        vocoder.train(TrainContext(data=corpus["train"], val=None, out=trained, sample_every=1))


def test_a_vocoder_of_other_mel_settings_is_refused_by_their_names(trained):
    other = dataclasses.replace(MEL, n_mels=80, hop=128)
    with pytest.raises(FoleyError, match=r"hop 256 \(wanted 128\), n_mels 64 \(wanted 80\)"):
        vocos.load_vocos(trained, other)
    with pytest.raises(FoleyError, match="no checkpoint"):
        vocos.load_vocos(trained / "nowhere", MEL)


def test_rows_and_records_say_which_vocoder(corpus, trained):
    data = ShardDataset(corpus["val"])
    clip = data.load(data.clip_ids[0])
    model, plain = build_generator(GenerationSettings(model="vocoded"), data)
    named = GenerationSettings(model="vocoded", vocoder=trained)
    _, learned = build_generator(named, data)
    assert plain.vocoder == "griffin_lim, 16 iterations"
    assert learned.vocoder.startswith("vocos, 1 blocks of 8, 4 projections, weights ")
    assert (named.row_name, row_title(named, model)) == ("vocoded-vocos", "Ground truth, vocoded, trained vocoder")
    alone = GenerationSettings(model="vocoder", checkpoint=trained)
    sounds = [generate_one(model, built, clip, 0) for built in (plain, learned, build_generator(alone, data)[1])]
    assert np.array_equal(sounds[1], sounds[2])
    assert not np.array_equal(sounds[0], sounds[1])
    with pytest.raises(FoleyError, match="without a vocoder"):
        build_generator(GenerationSettings(model="noise", vocoder=trained), data)


@pytest.mark.parametrize(
    ("size", "overrides", "message"),
    [
        ("huge", {}, "size"),
        ("tiny", {"width": "3"}, "setting"),
        ("tiny", {"dim": "x"}, "int"),
        ("tiny", {"dim": "0"}, "0"),
    ],
)
def test_wrong_settings_are_named(size, overrides, message):
    with pytest.raises(UnknownNameError, match=message):
        vocoder_recipe(size, None, overrides)


@pytest.mark.parametrize("size", SIZES)
def test_there_is_a_vocoder_for_the_mel_of_every_size(size):
    mel = SignalSettings.sizes()[size].mel
    module = Vocos(mel, VocosShape(dim=4, hidden=4, blocks=1))
    tokens = Mel(mel).tokens(torch.randn(1, 3000))
    assert module(tokens, 3000).shape == (1, 3000)
    assert vocoder_recipe(size, None, {}).steps > 0


def test_the_distance_is_zero_for_the_same_sound_and_grows_with_noise():
    audio = torch.randn(1, 16000) * 0.1
    assert float(spectral_distance(audio, audio)) == 0.0
    noisy = [float(spectral_distance(audio + level * torch.randn(1, 16000), audio)) for level in (0.01, 0.1)]
    assert 0 < noisy[0] < noisy[1]


def test_silence_stays_silent(trained):
    made = vocoder_of(BuildContext(vocoder=trained), MelSettings(), 16)
    assert float(made(Mel(MEL).tokens(torch.zeros(1, 16000)), 16000).abs().max()) == 0.0
