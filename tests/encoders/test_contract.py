"""What every encoder owes: a card, strict weights, features that batching does not change."""

import re

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.encoder import ANY, Encoder, Signal
from foleybench.errors import WeightsMissingError

NAMES = registry.names("encoders")


def signal(encoder, seconds, seed):
    rng = np.random.default_rng(seed)
    n_frames = round(seconds * 20)
    n = round(seconds * encoder.rate_hz)
    bursts = np.exp(-(np.arange(n) % (encoder.rate_hz // 3)) / (0.02 * encoder.rate_hz))
    return Signal(
        audio=(0.3 * bursts * rng.standard_normal(n)).astype(np.float32),
        duration_s=seconds,
        frames=rng.integers(0, 256, (n_frames, 40, 56, 3), dtype=np.uint8) if encoder.sees else None,
        frame_times_s=np.arange(n_frames) / 20 if encoder.sees else None,
        text=f"a bell rings {seed} times" if encoder.reads else "",
        sides=(0.1 * bursts * rng.standard_normal((2, n))).astype(np.float32) if encoder.hears_sides else None,
    )


def fits(shape, promised):
    return len(shape) == len(promised) and all(want in (ANY, size) for size, want in zip(shape, promised, strict=True))


def usable(name):
    encoder = registry.load("encoders", name)
    if encoder.weights and not encoder.weights.path.is_file():
        pytest.skip(f"weights of {name} are not on this machine")
    return encoder


@pytest.mark.parametrize("name", NAMES)
def test_card(name):
    encoder = registry.load("encoders", name)
    assert isinstance(encoder, Encoder)
    assert encoder.version >= 1
    assert encoder.rate_hz in (16000, 22050, 24000, 32000, 44100, 48000)
    assert encoder.layers
    assert encoder.modality in {"audio", "video", "pair", "text", "features", "sides"}
    assert set(encoder.after) <= set(NAMES)
    assert encoder.after or encoder.modality != "features"
    assert encoder.licence
    assert encoder.source


@pytest.mark.parametrize("name", NAMES)
def test_docstring_names_layers_and_sources(name):
    module = registry.module("encoders", name)
    for layer in module.ENCODER.layers:
        assert f"    {layer}: (" in module.__doc__
    assert "Sources:" in module.__doc__
    assert len(module.__doc__.splitlines()[0].split()) <= 11
    for version in range(2, module.ENCODER.version + 1):
        assert re.search(rf"Changes:.* ?{version} ", module.__doc__, re.DOTALL), f"say what version {version} changed"


@pytest.mark.parametrize("name", NAMES)
def test_absent_weights_are_an_error_that_names_a_command(name, monkeypatch, tmp_path):
    encoder = registry.load("encoders", name)
    if encoder.weights is None:
        pytest.skip("needs no weights")
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    if encoder.weights.packaged_at:
        assert encoder.weights.made_by == "foleybench train evaluators"
        return
    command = encoder.weights.made_by or f"foleybench weights fetch {name}"
    with pytest.raises(WeightsMissingError, match=command):
        encoder.build("cpu")


@pytest.mark.parametrize("name", NAMES)
def test_features_are_finite_complete_and_do_not_depend_on_the_batch(name):
    encoder = usable(name)
    encode = encoder.build("cpu")
    signals = [signal(encoder, seconds, seed) for seed, seconds in enumerate((2.0, 1.3, 3.1))]
    together = encode(signals)
    assert encode([]) == []
    assert len(together) == len(signals)
    for one, features in zip(signals, together, strict=True):
        assert set(features) == set(encoder.layers)
        alone = encode([one])[0]
        for layer in encoder.layers:
            assert isinstance(features[layer], np.ndarray)
            assert fits(features[layer].shape, encoder.layers[layer])
            assert np.isfinite(features[layer]).all()
            np.testing.assert_array_equal(features[layer], alone[layer])


@pytest.mark.parametrize("name", NAMES)
def test_silence_has_finite_features(name):
    encoder = usable(name)
    quiet = signal(encoder, 2.0, 0)
    quiet = Signal(
        audio=np.zeros_like(quiet.audio),
        duration_s=2.0,
        frames=quiet.frames,
        frame_times_s=quiet.frame_times_s,
        text=quiet.text,
        sides=None if quiet.sides is None else np.zeros_like(quiet.sides),
    )
    features = encoder.build("cpu")([quiet])[0]
    assert all(np.isfinite(value).all() for value in features.values())
