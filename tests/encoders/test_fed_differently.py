"""PaSST and VGGish as other toolkits feed them."""

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.api.weights import accept
from foleybench.encoders import passt_segments, passt_windows, vggish_google
from foleybench.encoders._inputs.vggish_patches import log_mel_patches
from foleybench.encoders._nets import passt
from foleybench.encoders._nets.passt_weights import WEIGHTS
from foleybench.errors import FoleyError
from tests.encoders.test_vggish import two_tones


def signal(n_samples, rate_hz=32000):
    return Signal(audio=two_tones(n_samples, rate_hz), duration_s=n_samples / rate_hz)


@pytest.mark.parametrize(
    ("n_samples", "lengths"),
    [
        (0, []),
        (4800, []),
        (4801, [4801]),
        (256000, [256000]),
        (320000, [320000]),
        (324800, [320000]),
        (324801, [320000, 4801]),
        (800000, [320000, 320000, 160000]),
    ],
)
def test_segments(n_samples, lengths):
    audio = two_tones(n_samples, 32000)
    parts = passt_segments.segments(audio)
    assert [len(part) for part in parts] == lengths
    np.testing.assert_array_equal(np.concatenate([*parts, np.zeros(0)]), audio[: sum(lengths)])


@pytest.mark.parametrize(
    ("n_samples", "lengths"),
    [
        (0, [4801]),
        (3200, [4801]),
        (48000, [48000]),
        (48001, [320000]),
        (256000, [320000]),
        (320000, [320000]),
        (320001, [320000, 320000]),
        (480000, [320000, 320000]),
        (480001, [320000, 320000, 320000]),
    ],
)
def test_windows(n_samples, lengths):
    audio = 0.1 * two_tones(n_samples, 32000)
    parts = passt_windows.windows(audio)
    assert [len(part) for part in parts] == lengths
    for index, part in enumerate(parts[1:], start=1):
        left = min(320000, n_samples - 160000 * index)
        np.testing.assert_array_equal(part[: min(left, 160000)], parts[index - 1][160000 : 160000 + left])
        assert (part[left:] == 0).all()
    if n_samples:
        assert max(np.abs(part).max() for part in parts) == pytest.approx(10 ** (-1 / 20), abs=1e-6)


def test_silence_stays_silence():
    assert (passt_windows.windows(np.zeros(64000, np.float32))[0] == 0).all()
    assert (vggish_google.loud(np.zeros(16000, np.float32)) == 0).all()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """PaSST with one block, saved in the official layout."""
    torch.manual_seed(0)
    net = passt.new_net()
    net.blocks = net.blocks[:1]
    path = tmp_path_factory.mktemp("weights") / WEIGHTS.filename
    torch.save(net.state_dict(), path)
    return net, path


@pytest.mark.slow
@pytest.mark.parametrize("module", [passt_segments, passt_windows])
def test_features_of_a_sound_do_not_depend_on_the_others(file, monkeypatch, module):
    net, path = file
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(path.parent))
    accept(WEIGHTS)
    monkeypatch.setattr(passt, "new_net", lambda: net)
    encode = module.ENCODER.build("cpu")
    signals = [signal(330000), signal(1000), signal(40000)]
    together = [features["logits"] for features in encode(signals)]
    for one, logits in zip(signals, together, strict=True):
        np.testing.assert_array_equal(encode([one])[0]["logits"], logits)
    shapes = {passt_segments: [(2, 527), (0, 527), (1, 527)], passt_windows: [(527,)] * 3}
    assert [logits.shape for logits in together] == shapes[module]
    assert np.abs(together[0]).max() > 0.01
    if module is passt_windows:
        apart = [encode([Signal(audio=part, duration_s=10.0)])[0]["logits"] for part in (signals[0].audio[:320000],)]
        assert np.abs(apart[0] - together[0]).max() > 1e-4  # the second window counts


def test_loud_by_hand():
    """-1 dBFS, 16 bit, then by the largest sample with its sign, but never by less than 0.1."""
    audio = np.array([0.1, -0.2, 0.0], dtype=np.float32)
    whole = np.round(np.array([0.5, -1.0, 0.0]) * 10 ** (-1 / 20) * 32768) / 32768
    np.testing.assert_allclose(vggish_google.loud(audio), whole / whole[0], atol=1e-12)
    below = vggish_google.loud(np.array([0.001, -0.2], dtype=np.float32))
    assert below[1] == pytest.approx(-(10 ** (-1 / 20)) / 0.1, abs=1e-3)


@pytest.mark.parametrize(
    ("n_samples", "n_patches"), [(0, 0), (15999, 0), (16000, 1), (23999, 1), (24000, 2), (128000, 15)]
)
def test_a_patch_every_half_second(n_samples, n_patches):
    found = vggish_google.google_patches(two_tones(n_samples))
    assert found.shape == (n_patches, 96, 64)
    if n_patches > 1:
        whole = log_mel_patches(vggish_google.loud(two_tones(n_samples)))
        np.testing.assert_array_equal(found[0], whole[0])


@pytest.mark.parametrize("make", [passt_segments.segments, passt_windows.windows, vggish_google.google_patches])
def test_samples_that_are_not_finite_are_refused(make):
    with pytest.raises(FoleyError, match="sample 5 "):
        make(np.array([0.0] * 5 + [np.nan] * 40000, dtype=np.float32))
