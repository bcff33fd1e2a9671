"""The codec of mel patches: its grid, its contract, and that it learns."""

import numpy as np
import pytest
import torch

from foleymodels._codecs.patches import PatchCodec, PatchSettings
from foleymodels._parts.mel import MelSettings
from foleymodels._training.loop import seeded

SMALL = PatchSettings(patch_channels=8, patch_dim=8, patch_codes=16)
MEL = MelSettings()


@pytest.fixture
def codec():
    made = seeded(lambda: PatchCodec(SMALL, MEL), 0)
    generator = torch.Generator().manual_seed(0)
    made.losses(torch.randn(4, 30, 128, generator=generator), generator)  # fills the codebook
    return made


@pytest.mark.parametrize("n", [1, 2, 31, 60])
def test_codes_are_a_grid_of_columns_and_bands_at_any_length(codec, n):
    tokens = torch.randn(2, n, 128)
    codes = codec.encode(tokens)
    columns = -(-n // 2)
    assert codes.shape == (2, columns, 8)
    assert codes.dtype == torch.int64
    assert codec.levels == 8
    assert int(codes.max()) < codec.n_codes == 16
    assert codec.decode(codes).shape == (2, 2 * columns, 128)


def test_an_odd_end_is_completed_with_the_last_token(codec):
    tokens = torch.randn(1, 7, 128)
    assert torch.equal(codec.encode(tokens), codec.encode(torch.cat([tokens, tokens[:, -1:]], dim=1)))


def test_a_code_stands_for_its_patch():
    """A sound in mel bands 40 to 47 of tokens 20 and 21 changes codes about row 5 and column 10, none far away."""
    made = seeded(lambda: PatchCodec(SMALL, MEL), 0)
    latents = made.latents(torch.zeros(1, 40, 128))
    image = torch.zeros(1, 80, 64)
    image[:, 40:44, 40:48] = 3.0
    changed = (made.latents(image.reshape(1, 40, 128)) - latents).abs().amax(-1)[0]
    column, row = divmod(int(changed.argmax()), 8)
    assert abs(column - 10) <= 1
    assert abs(row - 5) <= 1
    assert changed[:4].max() < 1e-6
    assert changed[17:].max() < 1e-6


def test_decoding_depends_on_every_code_near_its_place(codec):
    codes = torch.randint(0, 16, (1, 30, 8), generator=torch.Generator().manual_seed(0))
    plain = codec.decode(codes)
    for row in (0, 7):
        other = codes.clone()
        other[0, 15, row] = (other[0, 15, row] + 1) % 16
        differs = (codec.decode(other) - plain).abs().reshape(60, 2, 64).amax(1)
        time, band = divmod(int(differs.argmax()), 64)
        assert abs(time - 30.5) < 6
        assert row * 8 - 12 <= band < row * 8 + 20
        assert differs[:16].max() < 1e-6


def test_its_loss_reaches_encoder_and_decoder(codec):
    generator = torch.Generator().manual_seed(1)
    found = codec.losses(torch.randn(4, 31, 128, generator=generator), generator)
    torch.testing.assert_close(found["loss"], found["mel"] + SMALL.commitment * found["distance"])
    found["loss"].backward()
    assert all(float(p.grad.abs().max()) > 0 for name, p in codec.named_parameters() if name.endswith("weight"))


@pytest.mark.slow
def test_it_learns(toy_data):
    """60 steps on mel tokens of clicks and tones: the error falls by more than a third, with several codes in use."""
    made = seeded(lambda: PatchCodec(SMALL, MEL), 0)
    optimiser = torch.optim.Adam(made.parameters(), 1e-2)
    generator = torch.Generator().manual_seed(0)
    tokens = toy_data.crop_tokens(torch.arange(8), np.zeros(8, dtype=np.int64), 40)
    errors = []
    for _ in range(60):
        found = made.losses(tokens, generator)
        optimiser.zero_grad()
        found["loss"].backward()
        optimiser.step()
        errors.append(float(found["mel"].detach()))
    assert errors[-1] < 0.65 * errors[0]
    assert made.encode(tokens).unique().numel() >= 4
