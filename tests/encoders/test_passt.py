import copy
import functools
from unittest import mock

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.api.weights import accept
from foleybench.encoders import passt as encoder
from foleybench.encoders._nets import passt
from foleybench.encoders._nets.passt_weights import N_SAMPLES, RATE_HZ, WEIGHTS
from foleybench.errors import FoleyError, WeightsMissingError
from tests.encoders.test_vggish import two_tones


@pytest.fixture(scope="module")
def net():
    """The network without drawing its numbers: layouts need none, and loading brings its own."""
    from hear21passt.models import passt as package

    with mock.patch.object(package, "trunc_normal_"), mock.patch.object(torch.nn.Linear, "reset_parameters"):
        return passt.new_net()


@pytest.fixture(scope="module")
def sound():
    return torch.from_numpy(two_tones(N_SAMPLES, RATE_HZ))[None]


def test_golden_spectrogram(sound):
    mel = passt.MelFrontend("cpu")(sound)
    assert mel.shape == (1, 128, 1000)
    assert float(mel.mean()) == pytest.approx(-1.039146, abs=1e-5)
    assert float(mel.std()) == pytest.approx(0.826058, abs=1e-5)
    assert float(mel.min()) == pytest.approx(-1.402585, abs=1e-5)
    assert float(mel.max()) == pytest.approx(2.608244, abs=1e-5)
    for (band, frame), wanted in {(10, 100): -1.401577, (40, 500): -0.244834, (127, 999): -0.181439}.items():
        assert float(mel[0, band, frame]) == pytest.approx(wanted, abs=1e-5)


def test_golden_spectrogram_of_silence():
    mel = passt.MelFrontend("cpu")(torch.zeros(1, 256000))
    assert mel.shape == (1, 128, 800)
    np.testing.assert_allclose(mel.numpy(), -1.40258503, atol=1e-6)


def test_input_is_ten_seconds_without_its_mean():
    short = encoder.passt_input(Signal(audio=two_tones(8000) + np.float32(0.3), duration_s=0.25))
    assert short.shape == (320000,)
    assert short[:8000].mean() == pytest.approx(0.0, abs=1e-6)
    assert (short[8000:] == 0).all()
    assert len(encoder.passt_input(Signal(audio=two_tones(400000), duration_s=12.5))) == 320000
    assert (encoder.passt_input(Signal(audio=np.zeros(0, np.float32), duration_s=0.0)) == 0).all()


def test_layout_is_the_official_one(net):
    state = net.state_dict()
    assert len(state) == 159
    assert sum(tensor.numel() for tensor in state.values()) == 86_153_758
    shapes = {
        "cls_token": (1, 1, 768),
        "dist_token": (1, 1, 768),
        "new_pos_embed": (1, 2, 768),
        "freq_new_pos_embed": (1, 768, 12, 1),
        "time_new_pos_embed": (1, 768, 1, 99),
        "patch_embed.proj.weight": (768, 1, 16, 16),
        "blocks.11.attn.qkv.weight": (2304, 768),
        "blocks.0.mlp.fc1.bias": (3072,),
        "head.1.weight": (527, 768),
        "head_dist.bias": (527,),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    assert net.head[0].eps == 1e-5
    assert net.norm.eps == net.blocks[3].norm2.eps == 1e-6


def test_building_prints_nothing_and_leaves_the_random_state(capsys, monkeypatch):
    from hear21passt.models import passt as package

    monkeypatch.setattr(package, "PaSST", functools.partial(package.PaSST, depth=1))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    net = passt.new_net()
    assert len(net.blocks) == 1
    assert not net.training
    assert net.blocks[0].mlp.fc1.weight.std() > 0
    assert torch.equal(torch.get_rng_state(), before)
    assert capsys.readouterr().out == ""


def layout_file(path, net, **changed):
    state = {name: torch.zeros((1,) * tensor.ndim).expand(tensor.shape) for name, tensor in net.state_dict().items()}
    state |= changed
    torch.save({name: tensor for name, tensor in state.items() if tensor is not None}, path)
    return path


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"blocks.7.attn.proj.bias": None}, r"lacks blocks\.7\.attn\.proj\.bias"),
        ({"head.1.bias": None, "head.2.bias": torch.zeros(527)}, r"lacks head\.1\.bias; it has unknown head\.2\.bias"),
        ({"time_new_pos_embed": torch.zeros(1, 768, 1, 100)}, r"time_new_pos_embed of shape \(1, 768, 1, 100\)"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_name(tmp_path, net, monkeypatch, changed, message):
    monkeypatch.setattr(passt, "new_net", lambda: net)
    with pytest.raises(FoleyError, match=message):
        passt.load_weights(layout_file(tmp_path / "passt.pt", net, **changed))


def test_absent_weights_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsMissingError, match="foleybench weights fetch passt"):
        encoder.ENCODER.build("cpu")


@pytest.fixture(scope="module")
def short(net):
    """One of the twelve blocks with random weights, to be done in a second."""
    cut = copy.copy(net)
    cut._modules = {**net._modules, "blocks": net.blocks[:1]}
    made = copy.deepcopy(cut)
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            drawn = torch.randn(parameter.shape, generator=rng)
            scale = 1.0 if parameter.ndim < 2 else max(1, parameter[0].numel()) ** -0.5
            parameter.copy_(0.1 * drawn + float(name.endswith("weight")) if parameter.ndim < 2 else scale * drawn)
    return made


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:stft with return_complex=False:UserWarning")
@pytest.mark.filterwarnings("ignore:.*torch.cuda.amp.autocast:FutureWarning")
def test_agrees_with_the_package_on_random_weights(tmp_path, short, sound, monkeypatch):
    """Our loader and spectrogram against hear21passt's own wrapper."""
    from hear21passt.models.preprocess import AugmentMelSTFT
    from hear21passt.wrapper import PasstBasicWrapper

    monkeypatch.setattr(passt, "new_net", lambda: copy.deepcopy(short))
    torch.save(short.state_dict(), tmp_path / WEIGHTS.filename)
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    accept(WEIGHTS)
    features = encoder.ENCODER.build("cpu")([Signal(audio=sound[0].numpy(), duration_s=10.0)])[0]
    settings = {"freqm": 48, "timem": 192, "htk": False, "fmin": 0.0, "fmax": None, "norm": 1}
    mel = AugmentMelSTFT(128, 32000, 800, 320, 1024, **settings, fmin_aug_range=10, fmax_aug_range=2000)
    wrapper = PasstBasicWrapper(mel=mel, net=short, mode="all").eval()
    with torch.no_grad():
        wanted = wrapper(sound - sound.double().mean().float())[0].numpy()
    np.testing.assert_allclose(features["logits"], wanted[:527], atol=1e-5)
    np.testing.assert_allclose(features["embedding"], wanted[527:], atol=1e-5)
    assert np.abs(wanted).max() > 0.1


def test_fused_attention_is_the_package_s_own_within_rounding(short, sound):
    ours = copy.deepcopy(short)
    passt.fuse_attention(ours)
    mel = passt.MelFrontend("cpu")(sound)[:, None]
    with torch.no_grad():
        for found, wanted in zip(ours(mel), short(mel), strict=True):
            np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=0, atol=4e-6 * float(wanted.abs().max()))


def test_a_file_in_the_official_layout_is_accepted(tmp_path, short, monkeypatch):
    monkeypatch.setattr(passt, "new_net", lambda: copy.deepcopy(short))
    loaded = passt.load_weights(layout_file(tmp_path / "passt.pt", short))
    assert all((tensor == 0).all() for tensor in loaded.state_dict().values())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_weights_under_the_key_of_a_training_run_are_the_same(tmp_path, short, monkeypatch):
    monkeypatch.setattr(passt, "new_net", lambda: copy.deepcopy(short).requires_grad_(True))
    path = tmp_path / WEIGHTS.filename
    torch.save({"model": {name: tensor + 1 for name, tensor in short.state_dict().items()}}, path)
    loaded = passt.load_weights(path).state_dict()
    assert all(torch.equal(loaded[name], tensor + 1) for name, tensor in short.state_dict().items())
