"""Encoders that models are conditioned on: built small and whole, prepared as the reference libraries do."""

import dataclasses
import importlib.util

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders import audiomae, eva02_clip_b16, eva_clip_g14, mae_b16
from foleybench.encoders._nets.image_trunks import encode_with, load_weights, new_net, trunk_input
from foleybench.errors import FoleyError

# Looked for, not imported: that takes seconds, and every process collects every file.
pytestmark = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="needs the extra `encoders`")

SMALL = {"depth": 1, "embed_dim": 32, "num_heads": 2}
TRUNKS = {name.__name__.rpartition(".")[2]: name.TRUNK for name in (eva_clip_g14, eva02_clip_b16, mae_b16)}


def frames(height, width, n=2, seed=0):
    """Smooth frames with sharp edges."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (n, 5, 7, 3), dtype=np.uint8)
    return coarse.repeat(-(-height // 5), 1).repeat(-(-width // 7), 2)[:, :height, :width]


def signal(n=20, fps=20.0):
    return Signal(
        audio=np.zeros(0, dtype=np.float32),
        duration_s=n / fps,
        frames=frames(40, 56, n),
        frame_times_s=np.arange(n) / fps,
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", [(64, 64), (90, 161), (161, 90), (256, 455), (224, 300), (301, 224)])
@pytest.mark.parametrize("name", ["eva_clip_g14", "eva02_clip_b16"])
def test_pictures_are_prepared_as_open_clip_does(name, size):
    open_clip = pytest.importorskip("open_clip", reason="needs the extra `encoders`")
    from PIL import Image

    transform = open_clip.image_transform(224, is_train=False, mean=open_clip.OPENAI_DATASET_MEAN,
                                          std=open_clip.OPENAI_DATASET_STD)  # fmt: skip
    picture = frames(*size)
    wanted = torch.stack([transform(Image.fromarray(one)) for one in picture])
    torch.testing.assert_close(trunk_input(TRUNKS[name], picture), wanted, atol=1e-6, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(64, 64), (90, 161), (161, 90), (256, 455)])
def test_pictures_are_prepared_as_timm_does(size):
    import timm
    from PIL import Image

    config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg("vit_base_patch16_224.mae").to_dict())
    transform = timm.data.create_transform(**config)
    picture = frames(*size)
    wanted = torch.stack([transform(Image.fromarray(one)) for one in picture])
    torch.testing.assert_close(trunk_input(mae_b16.TRUNK, picture), wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", TRUNKS)
def test_a_small_trunk_is_saved_loaded_and_gives_a_feature_per_frame(name, tmp_path):
    from safetensors.torch import save_file

    trunk = TRUNKS[name]
    net = new_net(trunk, **SMALL)
    path = tmp_path / "w.safetensors"
    save_file(net.state_dict(), path)
    encode = encode_with(trunk, load_weights(trunk, path, **SMALL), "cpu")
    found = encode([signal(), signal(n=6)])
    width = trunk.options["num_classes"] or 32
    assert [part["frames"].shape for part in found] == [(8, width), (3, width)]
    assert np.array_equal(encode([signal(n=6)])[0]["frames"], found[1]["frames"])
    one = dataclasses.replace(signal(n=6), frames=frames(40, 56, 6, seed=1))
    assert not np.array_equal(encode([one])[0]["frames"], found[1]["frames"])
    state = net.state_dict()
    first = next(iter(state))
    save_file({k: v for k, v in state.items() if k != first}, path)
    with pytest.raises(FoleyError, match="lacks"):
        load_weights(trunk, path, **SMALL)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(FoleyError, match="not a safetensors file"):
        load_weights(trunk, path, **SMALL)


@pytest.mark.slow
def test_audio_is_prepared_as_transformers_does():
    transformers = pytest.importorskip("transformers", reason="needs the extra `encoders`")
    rng = np.random.default_rng(0)
    audio = rng.standard_normal(32000).astype(np.float32) * 0.1
    audio -= audio.mean()
    extractor = transformers.ASTFeatureExtractor()
    wanted = extractor(audio, sampling_rate=16000, return_tensors="pt")["input_values"][0]
    found = audiomae.filterbank(audio)
    torch.testing.assert_close(found, wanted[: len(found)], atol=2e-5, rtol=1e-5)


def test_a_small_audiomae_gives_a_token_every_160_ms(tmp_path):
    from safetensors.torch import save_file

    net = audiomae.new_net(**SMALL)
    save_file(net.state_dict(), tmp_path / "w.safetensors")
    encode = audiomae.encode_with(audiomae.load_weights(tmp_path / "w.safetensors", **SMALL), "cpu")
    rng = np.random.default_rng(0)

    def heard(seconds):
        return Signal(audio=rng.standard_normal(round(seconds * 16000)).astype(np.float32), duration_s=seconds)

    shapes = [encode([heard(s)])[0]["tokens"].shape for s in (0.01, 1.0, 4.0, 12.0)]
    assert shapes == [(1, 32), (7, 32), (25, 32), (75, 32)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "millions"), [("eva_clip_g14", 1012.6), ("eva02_clip_b16", 86.3), ("mae_b16", 85.8), ("audiomae", 85.6)]
)
def test_whole_networks_have_the_published_size(name, millions):
    with torch.device("meta"):  # its shapes alone: drawing the weights took nine seconds
        net = audiomae.new_net() if name == "audiomae" else new_net(TRUNKS[name])
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.5)
