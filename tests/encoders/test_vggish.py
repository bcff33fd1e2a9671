import copy

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders import vggish as encoder
from foleybench.encoders._inputs.vggish_patches import WEIGHTS, log_mel_patches
from foleybench.encoders._nets import vggish
from foleybench.errors import FoleyError, WeightsMissingError

LAYOUT = {
    **{f"features.{i}.weight": (b, a, 3, 3) for i, a, b in [(0, 1, 64), (3, 64, 128), (6, 128, 256), (8, 256, 256)]},
    **{f"features.{i}.weight": (b, a, 3, 3) for i, a, b in [(11, 256, 512), (13, 512, 512)]},
    **{f"features.{i}.bias": (b,) for i, b in [(0, 64), (3, 128), (6, 256), (8, 256), (11, 512), (13, 512)]},
    **{f"embeddings.{i}.weight": (b, a) for i, a, b in [(0, 12288, 4096), (2, 4096, 4096), (4, 4096, 128)]},
    **{f"embeddings.{i}.bias": (b,) for i, b in [(0, 4096), (2, 4096), (4, 128)]},
}


def official_file(path, **changed):
    """A file in the official layout; every tensor is one number repeated, so it is small on disk."""
    state = {name: torch.full((1,) * len(shape), 0.01).expand(shape) for name, shape in LAYOUT.items()}
    state |= changed
    torch.save({name: tensor for name, tensor in state.items() if tensor is not None}, path)
    return path


def two_tones(n_samples=128000, rate_hz=16000):
    t = np.arange(n_samples) / rate_hz
    return np.float32(0.5 * np.sin(2 * np.pi * 1000 * t) + 0.25 * np.sin(2 * np.pi * (200 + 300 * t) * t))


def test_golden_patches():
    patches = log_mel_patches(two_tones())
    assert patches.shape == (8, 96, 64)
    assert patches.mean() == pytest.approx(-3.187376, abs=1e-6)
    assert patches.std() == pytest.approx(2.318138, abs=1e-6)
    assert patches[0, 0, 0] == pytest.approx(1.965681, abs=1e-6)
    assert patches[3, 50, 20] == pytest.approx(4.081982, abs=1e-6)


def test_golden_patches_of_the_smoke_tone():
    patches = log_mel_patches(np.sin(2 * np.pi * 1000 * np.arange(48000) / 16000))
    assert patches.shape == (3, 96, 64)
    assert patches.mean() == pytest.approx(-3.429619, abs=1e-6)
    assert patches.std() == pytest.approx(2.126577, abs=1e-6)
    np.testing.assert_allclose(patches[0, 0, :3], [-4.48313, -4.27084, -4.17064], atol=1e-5)


@pytest.mark.parametrize(("n_samples", "n_patches"), [(0, 0), (100, 0), (15599, 0), (15600, 1), (30959, 1), (30960, 2)])
def test_number_of_patches(n_samples, n_patches):
    assert len(log_mel_patches(np.zeros(n_samples))) == n_patches


def test_layout_is_the_official_one():
    with torch.device("meta"):
        state = vggish.new_net().state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == LAYOUT
    assert len(state) == 18
    assert sum(tensor.numel() for tensor in state.values()) == 72_141_184


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    return vggish.load_weights(official_file(tmp_path_factory.mktemp("weights") / "vggish.pth"))


def test_the_last_activation_is_left_out(net):
    with torch.no_grad():
        net.embeddings[4].bias.fill_(-1e12)
        out = net(torch.zeros(1, 96, 64))
        net.embeddings[4].bias.fill_(0.01)
    assert out.shape == (1, 128)
    assert (out < 0).all()


def test_flattening_keeps_time_then_frequency_then_channel(net):
    """torchvggish swaps the axes so that TensorFlow's dense weights fit: (time, frequency, channel)."""
    maps = torch.arange(512 * 6 * 4, dtype=torch.float32).reshape(1, 512, 6, 4)
    seen = []
    handle = net.embeddings[0].register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    features, net.features = net.features, torch.nn.Module()
    net.features.forward = lambda patches: maps
    with torch.no_grad():
        net(torch.zeros(1, 96, 64))
    net.features = features
    handle.remove()
    wanted = maps.transpose(1, 3).transpose(1, 2).reshape(1, -1)
    torch.testing.assert_close(seen[0], wanted, rtol=0, atol=0)


def test_layout_of_the_maps_changes_no_bit(net):
    """With gradients the net runs on plain tensors, without on oneDNN's layout, which would read strides wrongly."""
    assert all(parameter.is_contiguous() for parameter in net.features.parameters())
    rng = torch.Generator().manual_seed(0)
    patches = torch.randn(3, 1, 96, 64, generator=rng)
    layers = copy.deepcopy(net.features)
    for layer in layers:
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.data = torch.randn(layer.weight.shape, generator=rng) / layer.weight[0].numel() ** 0.5
    plain = layers(vggish.laid_out(patches))
    with torch.inference_mode():
        blocked = layers(vggish.laid_out(patches))
    assert not plain.is_mkldnn
    assert blocked.is_mkldnn == torch.backends.mkldnn.is_available()
    assert plain.std() > 0.01
    assert torch.equal(plain, blocked.to_dense())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"embeddings.4.bias": None}, r"lacks embeddings\.4\.bias"),
        ({"features.0.bias": None, "features.0.offset": torch.zeros(64)}, r"lacks features\.0\.bias; it has unknown"),
        ({"features.3.bias": torch.zeros(129)}, r"features\.3\.bias of shape \(129,\) instead of \(128,\)"),
        ({"features.3.bias": torch.full((128,), float("nan"))}, r"features\.3\.bias that are not finite"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_name(tmp_path, changed, message):
    with pytest.raises(FoleyError, match=message):
        vggish.load_weights(official_file(tmp_path / "vggish.pth", **changed))


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04 broken"])
def test_files_that_are_no_weights_are_refused(tmp_path, content):
    path = tmp_path / "vggish.pth"
    path.write_bytes(content)
    with pytest.raises(FoleyError, match="is not a file of weights"):
        vggish.load_weights(path)


class Harmful:
    def __reduce__(self):
        return (print, ("this must never run",))


def test_pickled_code_is_refused(tmp_path, capsys):
    path = tmp_path / "vggish.pth"
    torch.save({"features.0.weight": Harmful()}, path)
    with pytest.raises(FoleyError, match="is not a file of weights"):
        vggish.load_weights(path)
    assert "never run" not in capsys.readouterr().out


def test_absent_weights_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsMissingError, match="foleybench weights fetch vggish"):
        encoder.ENCODER.build("cpu")


def test_a_file_of_another_hash_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    official_file(tmp_path / WEIGHTS.filename)
    with pytest.raises(FoleyError, match="is not the published file"):
        encoder.ENCODER.build("cpu")


@pytest.mark.slow
def test_encoder_on_sounds_of_several_lengths(net, monkeypatch):
    monkeypatch.setattr(vggish, "load_weights", lambda path: net)
    monkeypatch.setattr(encoder, "require", lambda name, weights: None)
    encode = encoder.ENCODER.build("cpu")
    sounds = [two_tones(40000), two_tones(15599), two_tones(20000) + np.float32(0.25)]
    signals = [Signal(audio=sound, duration_s=len(sound) / 16000) for sound in sounds]
    together = [features["frames"] for features in encode(signals)]
    assert [frames.shape for frames in together] == [(2, 128), (0, 128), (1, 128)]
    for signal, frames in zip(signals, together, strict=True):
        np.testing.assert_array_equal(encode([signal])[0]["frames"], frames)
    without_dc = encode([Signal(audio=two_tones(20000), duration_s=1.25)])[0]["frames"]
    np.testing.assert_allclose(without_dc, together[2], rtol=1e-4)
