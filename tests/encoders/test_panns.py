import sys

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders import panns_16k, panns_32k
from foleybench.encoders._inputs.loading import read_state
from foleybench.encoders._nets import cnn14
from tests.encoders.made_weights import count, layout, refuses_by_name
from tests.encoders.test_vggish import two_tones

TINY = (4, 4, 8, 8, 8, 8)
MODULES = pytest.mark.parametrize("module", [panns_16k, panns_32k], ids=["16k", "32k"])


@pytest.fixture(scope="module")
def tiny():
    """The net of 16 kHz with few channels and weights that give outputs of some size."""
    net = cnn14.new_net(panns_16k.GRID, widths=TINY)
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.requires_grad and parameter.ndim > 1:
                parameter.copy_(torch.randn(parameter.shape, generator=rng) * (2 / parameter[0].numel()) ** 0.5)
    return net


@MODULES
def test_layout_is_the_official_one(module):
    with torch.device("meta"):
        net = cnn14.new_net(module.GRID)
    window = {16000: 512, 32000: 1024}[module.GRID.rate_hz]
    bins = window // 2 + 1
    shapes = layout(net)
    assert shapes["spectrogram_extractor.stft.conv_real.weight"] == (bins, 1, window)
    assert shapes["spectrogram_extractor.stft.conv_imag.weight"] == (bins, 1, window)
    assert shapes["logmel_extractor.melW"] == (bins, 64)
    assert shapes["bn0.running_mean"] == (64,)
    assert shapes["conv_block1.conv1.weight"] == (64, 1, 3, 3)
    assert shapes["conv_block6.conv2.weight"] == (2048, 2048, 3, 3)
    assert shapes["conv_block6.bn2.num_batches_tracked"] == ()
    assert shapes["fc1.weight"] == (2048, 2048)
    assert shapes["fc_audioset.weight"] == (527, 2048)
    tensors, values = count(net)
    trained = sum(p.numel() for p in net.parameters() if p.requires_grad)
    assert tensors == 84
    assert trained == 80_753_615
    assert values == trained + bins * (2 * window + 64) + 13 + 2 * (64 + 2 * 4032)


@MODULES
def test_filters_are_those_of_librosa(module):
    """Hann window and slaney mel bands, checked by a tone: the peak lies in its band, at its power."""
    grid = module.GRID
    net = cnn14.new_net(grid, widths=TINY)
    t = np.arange(grid.rate_hz) / grid.rate_hz
    mel = net.log_mel(torch.from_numpy(np.float32(0.5 * np.sin(2 * np.pi * 1000 * t)))[None])[0, 0, 50]
    edges = np.linspace(*(_slaney(np.array([grid.low_hz, grid.high_hz]))), 66)
    assert int(mel.argmax()) in np.flatnonzero(np.abs(edges[1:-1] - _slaney(1000.0)) < edges[1] - edges[0])
    assert float(mel[-1]) < float(mel.max()) - 60


def _slaney(hz):
    hz = np.asarray(hz, dtype=float)
    return np.where(hz < 1000, hz / (200 / 3), 15 + 27 * np.log(hz / 1000) / np.log(6.4))


@pytest.mark.slow  # importing librosa takes seconds
def test_agrees_with_torchlibrosa():
    stft = pytest.importorskip("torchlibrosa.stft")
    grid = panns_16k.GRID
    spectrogram = stft.Spectrogram(n_fft=grid.window, hop_length=grid.hop, win_length=grid.window)
    bank = stft.LogmelFilterBank(sr=16000, n_fft=512, n_mels=64, fmin=50, fmax=8000, amin=1e-10, top_db=None)
    net = cnn14.new_net(grid, widths=TINY)
    sound = torch.from_numpy(two_tones(16000))[None]
    for name in ("conv_real", "conv_imag"):
        ours = net.get_parameter(f"spectrogram_extractor.stft.{name}.weight")
        np.testing.assert_allclose(ours, getattr(spectrogram.stft, name).weight, atol=1e-6)
    np.testing.assert_allclose(net.logmel_extractor["melW"], bank.melW, atol=1e-7)
    with torch.no_grad():
        net.logmel_extractor["melW"].copy_(bank.melW)
        for name in ("conv_real", "conv_imag"):
            parameter = net.get_parameter(f"spectrogram_extractor.stft.{name}.weight")
            parameter.copy_(getattr(spectrogram.stft, name).weight)
    np.testing.assert_allclose(net.log_mel(sound).numpy(), bank(spectrogram(sound)).numpy(), atol=1e-5)


def test_official_file_with_the_sampler_state_beside_it(tmp_path, tiny):
    """The published files are of before torch 1.6 and numpy 2, and hold numpy arrays beside the weights."""
    sampler = {"pointer": np.int64(3), "indexes": np.arange(5), "queue": [np.arange(3.0)]}
    path = tmp_path / panns_16k.WEIGHTS.filename
    content = {"iteration": 7, "model": tiny.state_dict(), "sampler": sampler}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    loaded = cnn14.load_weights(cnn14.new_net(tiny.grid, widths=TINY), path)
    assert all(torch.equal(a, b) for a, b in zip(loaded.state_dict().values(), tiny.state_dict().values(), strict=True))
    assert "numpy._core" not in sys.modules or set(read_state(path, inside="model")) == set(tiny.state_dict())


def test_files_that_do_not_fit_are_refused_by_name(tmp_path, tiny):
    refuses_by_name(
        lambda path: cnn14.load_weights(cnn14.new_net(tiny.grid, widths=TINY), path),
        tmp_path / "panns.pth",
        dict(tiny.state_dict()),
        lambda state, path: torch.save({"model": state}, path),
        of="conv_block3.bn1.running_var",
    )


def test_each_sound_by_itself_short_ones_padded(tiny):
    encode = cnn14.encode_with(tiny, "cpu")
    sounds = [two_tones(40000), two_tones(4959), two_tones(100), np.zeros(0, np.float32), two_tones(40000)[::-1].copy()]
    signals = [Signal(audio=sound, duration_s=len(sound) / 16000) for sound in sounds]
    together = encode(signals)
    for signal, features in zip(signals, together, strict=True):
        assert features["embedding"].shape == (8,)
        assert features["logits"].shape == (527,)
        np.testing.assert_array_equal(encode([signal])[0]["logits"], features["logits"])
    assert (together[0]["embedding"] >= 0).all()
    assert np.abs(together[0]["logits"] - together[4]["logits"]).max() > 1e-3
    louder = encode([Signal(audio=two_tones(40000) + np.float32(0.2), duration_s=2.5)])[0]
    np.testing.assert_allclose(louder["logits"], together[0]["logits"], atol=1e-3)
