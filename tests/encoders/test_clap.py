import math

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders import clap_laion
from foleybench.encoders._nets import htsat
from foleybench.errors import FoleyError
from tests.encoders.made_weights import count, flat_state, layout, refuses_by_name
from tests.encoders.test_vggish import two_tones

TINY = htsat.ClapSizes(width=8, depths=(2, 1, 2, 1), heads=(1, 2, 2, 4), out=6, text_width=4, text_depth=1, words=9)


def test_layout_is_the_official_one():
    """Number of tensors and values of the authors' own class, counted from it; without RoBERTa's position_ids."""
    with torch.device("meta"):
        net = htsat.ClapAudioTower()
    shapes = layout(net)
    others = htsat.other_shapes()
    assert count(net) == (291, 73_711_832)
    assert not shapes.keys() & others.keys()
    assert len(others) == 213
    assert sum(math.prod(shape) for shape in others.values()) == 126_352_642
    assert shapes["audio_branch.spectrogram_extractor.stft.conv_real.weight"] == (513, 1, 1024)
    assert shapes["audio_branch.patch_embed.proj.weight"] == (128, 1, 4, 4)
    assert shapes["audio_branch.layers.2.blocks.11.attn.relative_position_bias_table"] == (225, 16)
    assert shapes["audio_branch.layers.0.blocks.1.attn_mask"] == (64, 64, 64)
    assert "audio_branch.layers.3.blocks.1.attn_mask" not in shapes
    assert shapes["audio_branch.layers.2.downsample.reduction.weight"] == (1024, 2048)
    assert shapes["audio_branch.tscam_conv.weight"] == (527, 1024, 2, 3)
    assert shapes["audio_projection.0.weight"] == (512, 1024)
    assert others["text_branch.embeddings.word_embeddings.weight"] == (50265, 768)


@pytest.mark.parametrize(("n_samples", "repeats"), [(480000, 1), (384000, 1), (240000, 2), (100001, 4), (600000, 1)])
def test_sounds_are_repeated_whole_then_filled_with_zeros(n_samples, repeats):
    sound = two_tones(n_samples, 48000) + np.float32(0.1)
    found = clap_laion.clap_input(sound)
    centred = sound - sound.mean(dtype=np.float64).astype(np.float32)
    length = min(n_samples, 480000)
    assert found.shape == (480000,)
    for index in range(repeats):
        np.testing.assert_allclose(found[index * length : (index + 1) * length], centred[:length], atol=1e-6)
    assert (found[repeats * length :] == 0).all()


def test_no_samples_are_silence_and_bad_ones_are_refused():
    assert (clap_laion.clap_input(np.zeros(0, np.float32)) == 0).all()
    with pytest.raises(FoleyError, match="sample 1 "):
        clap_laion.clap_input(np.array([0, np.nan], dtype=np.float32))


def test_masks_keep_edges_apart():
    """By hand, for an image of 16 x 16 shifted by 4: of the last window, its four quarters are from four corners."""
    mask = htsat._apart(16, 4)
    assert mask.shape == (4, 64, 64)
    assert (mask[0] == 0).all()
    quarter = (torch.arange(8) // 4)[:, None] * 2 + torch.arange(8) // 4
    same = quarter.flatten()[:, None] == quarter.flatten()
    torch.testing.assert_close(mask[3], torch.where(same, 0.0, -100.0))


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    made = htsat.new_net(TINY)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "bias_table" in name:
                parameter.normal_()
    return made


def published(net, **changed):
    state = flat_state(htsat.other_shapes(TINY)) | dict(net.state_dict()) | changed
    return {f"module.{name}": tensor for name, tensor in state.items()}


@pytest.mark.parametrize("older", [False, True])
def test_official_files_of_both_ages(tmp_path, net, older):
    extra = {"text_branch.embeddings.position_ids": torch.arange(514)[None]} if older else {}
    path = tmp_path / "clap.pt"
    torch.save({"epoch": 15, "name": "x", "state_dict": published(net, **extra), "optimizer": {"lr": 0.1}}, path)
    loaded = htsat.load_weights(htsat.new_net(TINY), path, TINY)
    pairs = zip(loaded.state_dict().values(), net.state_dict().values(), strict=True)
    assert all(torch.equal(ours, given) for ours, given in pairs)


@pytest.mark.parametrize("of", ["audio_branch.layers.2.blocks.1.attn.qkv.bias", "text_branch.pooler.dense.weight"])
def test_files_that_do_not_fit_are_refused_by_name(tmp_path, net, of):
    refuses_by_name(
        lambda path: htsat.load_weights(net, path, TINY),
        tmp_path / "clap.pt",
        flat_state(htsat.other_shapes(TINY)) | dict(net.state_dict()),
        lambda state, path: torch.save({"state_dict": state}, path),
        of=of,
    )


def test_each_sound_by_itself(net):
    encode = clap_laion.encode_with(net, "cpu")
    signals = [Signal(audio=two_tones(n, 48000), duration_s=n / 48000) for n in (480000, 48000)]
    together = [features["embedding"] for features in encode(signals)]
    for signal, embedding in zip(signals, together, strict=True):
        assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-5)
        np.testing.assert_array_equal(encode([signal])[0]["embedding"], embedding)
    assert np.abs(together[0] - together[1]).max() > 1e-4
