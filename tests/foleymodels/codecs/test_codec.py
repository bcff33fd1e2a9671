"""The residual codec: its contract, its training stage, and what is measured of it."""

import json

import numpy as np
import pytest
import torch

from foleymodels._codecs.codec import ResidualCodec
from foleymodels._codecs.settings import CodecSettings
from foleymodels._codecs.stage import measured_codec
from foleymodels._codecs.usage import usage_of
from foleymodels._parts.mel import MelSettings
from foleymodels._training.loop import seeded

SMALL = CodecSettings(codec_dim=16, codec_blocks=1, latent_dim=8, codec_levels=3, codebook_size=16)


@pytest.fixture
def codec():
    made = seeded(lambda: ResidualCodec(SMALL, MelSettings()), 0)
    generator = torch.Generator().manual_seed(0)
    made.losses(torch.randn(4, 30, 128, generator=generator), generator)  # fills the codebooks
    return made


@pytest.mark.parametrize("n", [1, 2, 31, 60])
def test_codes_have_the_contracts_shape_at_any_length(codec, n):
    tokens = torch.randn(2, n, 128)
    codes = codec.encode(tokens)
    assert codes.shape == (2, n, 3)
    assert codes.dtype == torch.int64
    assert int(codes.min()) >= 0
    assert int(codes.max()) < codec.n_codes == 16
    assert codec.levels == 3
    assert codec.decode(codes).shape == tokens.shape


def test_decoding_depends_on_the_codes_alone_and_on_every_level(codec):
    codes = codec.encode(torch.randn(1, 12, 128))
    plain = codec.decode(codes)
    assert torch.equal(codec.decode(codes.clone()), plain)
    for level in range(3):
        other = codes.clone()
        other[0, 5, level] = (other[0, 5, level] + 1) % 16
        assert not torch.allclose(codec.decode(other), plain)


def test_saved_and_loaded_it_gives_equal_codes(codec):
    twin = ResidualCodec(SMALL, MelSettings())
    twin.load_state_dict(codec.state_dict())
    tokens = torch.randn(2, 20, 128)
    assert torch.equal(twin.encode(tokens), codec.encode(tokens))


def test_its_loss_reaches_encoder_and_decoder(codec):
    generator = torch.Generator().manual_seed(1)
    found = codec.losses(torch.randn(4, 30, 128, generator=generator), generator)
    torch.testing.assert_close(found["loss"], found["mel"] + SMALL.commitment * found["distance"])
    found["loss"].backward()
    assert all(float(p.grad.abs().max()) > 0 for name, p in codec.named_parameters() if name.endswith("weight"))


@torch.inference_mode()
def test_measurements_of_whole_clips(codec, toy_data):
    found = measured_codec(codec, toy_data, "cpu")
    clips = torch.from_numpy(toy_data.tokens.copy()).float().split(np.diff(toy_data.token_offsets).tolist())
    assert len(clips) == len(toy_data)
    codes = [codec.encode(clip[None]) for clip in clips]
    errors = [(codec.decode(c) - clip[None]).abs().mean() for c, clip in zip(codes, clips, strict=True)]
    assert float(torch.stack(errors).mean()) == pytest.approx(found["val_mel"], abs=1e-5)
    assert found["used"] == usage_of(torch.cat(codes, dim=1)[0], 16).used
    assert found["perplexity"] == usage_of(torch.cat(codes, dim=1)[0], 16).perplexity
    json.dumps(found)
