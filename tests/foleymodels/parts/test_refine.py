import torch

from foleymodels._parts.refine import Refine


def refine():
    torch.manual_seed(0)
    return Refine(n_mels=8, frames_per_token=2, channels=4, context_dim=3)


def test_it_changes_nothing_at_the_start():
    estimate, x, context = torch.randn(2, 6, 16), torch.randn(2, 6, 16), torch.randn(2, 6, 3)
    assert torch.equal(refine()(estimate, x, context), estimate)


def test_the_grid_comes_back_as_tokens():
    module = refine()
    tokens = torch.randn(2, 6, 16)
    grid = module._grid(tokens)
    assert grid.shape == (2, 4, 4, 6)
    assert torch.equal(module._tokens(grid), tokens)
    # cell of frame 1, lower band of the pair: token 5, frame 1, band 2 * 3
    assert grid[1, 2, 3, 5] == tokens[1, 5, 8 + 6]


def test_a_line_is_corrected_alike_at_every_band_in_the_middle():
    torch.manual_seed(0)
    module = Refine(n_mels=32, frames_per_token=2, channels=4, context_dim=3)
    torch.nn.init.normal_(module.leave.weight)
    context, nothing = torch.zeros(1, 6, 3), torch.zeros(1, 6, 64)
    still = module(nothing, nothing, context)
    changes = []
    for band in (14, 16):
        x = torch.zeros(1, 6, 2, 32)
        x[..., band] = 1.0
        changes.append((module(nothing, x.reshape(1, 6, 64), context) - still).reshape(6, 2, 32)[..., band])
    torch.testing.assert_close(changes[0], changes[1], atol=1e-6, rtol=1e-5)
    assert float(changes[0].detach().abs().max()) > 0.01
