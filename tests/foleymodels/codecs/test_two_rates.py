"""The codec at two rates: independent levels, its contract, and that it learns."""

import pytest
import torch

from foleymodels._codecs.two_rates import TwoRateCodec, TwoRateSettings
from foleymodels._parts.mel import MelSettings
from foleymodels._training.loop import seeded

SMALL = TwoRateSettings(rate_dim=16, rate_blocks=1, rate_latent=8, rate_codes=16)


@pytest.fixture
def codec():
    made = seeded(lambda: TwoRateCodec(SMALL, MelSettings()), 0)
    generator = torch.Generator().manual_seed(0)
    made.losses(torch.randn(4, 30, 128, generator=generator), generator)  # fills the codebooks
    return made


@pytest.mark.parametrize("n", [1, 2, 31])
def test_a_token_has_one_coarse_and_four_fine_codes(codec, n):
    tokens = torch.randn(2, n, 128)
    codes = codec.encode(tokens)
    assert codes.shape == (2, n, 5)
    assert codec.levels == 5
    assert int(codes.max()) < codec.n_codes == 16
    assert codec.decode(codes).shape == tokens.shape
    assert torch.equal(codes[..., :1], codec.coarse.encode(tokens))
    assert torch.equal(codes[..., 1:], codec.fine.encode(tokens))


def test_the_fine_codes_rebuild_the_sound_alone(codec):
    codes = torch.randint(0, 16, (1, 12, 5), generator=torch.Generator().manual_seed(0))
    other = codes.clone()
    other[..., 0] = (other[..., 0] + 1) % 16
    assert torch.equal(codec.decode(codes), codec.decode(other))
    for level in range(1, 5):
        other = codes.clone()
        other[0, 5, level] = (other[0, 5, level] + 1) % 16
        assert not torch.allclose(codec.decode(other), codec.decode(codes))


def test_the_levels_share_nothing(codec):
    assert not {id(p) for p in codec.coarse.parameters()} & {id(p) for p in codec.fine.parameters()}
    generator = torch.Generator().manual_seed(1)
    found = codec.losses(torch.randn(4, 30, 128, generator=generator), generator)
    wanted = sum(found[f"{name}_mel"] + SMALL.commitment * found[f"{name}_distance"] for name in ("coarse", "fine"))
    torch.testing.assert_close(found["loss"], wanted)
    found["loss"].backward()
    assert all(float(p.grad.abs().max()) > 0 for name, p in codec.named_parameters() if name.endswith("weight"))


@pytest.mark.slow
def test_more_codes_rebuild_better():
    """Independent numbers in every token: four codes of 16 tell more than one."""
    made = seeded(lambda: TwoRateCodec(SMALL, MelSettings()), 0)
    optimiser = torch.optim.Adam(made.parameters(), 3e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        tokens = torch.randn(8, 20, 4, generator=generator).repeat_interleave(32, dim=2)
        found = made.losses(tokens, generator)
        optimiser.zero_grad()
        found["loss"].backward()
        optimiser.step()
    assert float(found["fine_mel"].detach()) < 0.85 * float(found["coarse_mel"].detach())
