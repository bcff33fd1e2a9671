"""Im2Wav's core: two levels, the nearest frame, and the conditions of both priors."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foleymodels._autoregression.writer import Writing
from foleymodels._codecs.two_rates import TwoRateCodec
from foleymodels._parts.code_sampling import CodeSampling
from foleymodels._parts.settings import of_size, replaced
from foleymodels.im2wav.system import Im2WavSettings, Im2WavWriter, nearest_frames

WIDTH, N = 5, 30  # 30 tokens are 24 frames, 30 coarse codes and 120 fine ones
SMALL = {
    "net_dim": 16, "net_heads": 2, "net_blocks": 2, "net_hidden": 16, "net_crop_s": 0.96, "rate_codes": 12,
    "up_dim": 16, "up_blocks": 1, "rate_dim": 16, "rate_blocks": 1,
}  # fmt: skip
SEEN = torch.zeros(1, dtype=torch.bool)
GREEDY = Writing(sampling=CodeSampling(temperature=0.0))


def writer(**changed):
    torch.manual_seed(0)
    settings = replaced(of_size(Im2WavSettings, "tiny"), **{**SMALL, **changed})
    made = Im2WavWriter(settings, WIDTH, TwoRateCodec(settings.codec, settings.signal.mel))
    for value in made.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return made.eval()


def features(n=N, seed=1):
    return torch.randn(1, n, WIDTH, generator=torch.Generator().manual_seed(seed))


def some_codes(n=N):
    return torch.randint(0, 12, (1, n, 5), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("n", "n_frames"), [(65, 52), (30, 24), (7, 1), (1, 9), (5, 3), (4, 30)])
def test_the_nearest_frame_is_the_published_rule(n, n_frames):
    """`get_x_cond`: round(linspace(0, 1, n) * (n_frames - 1)), where a half goes to the even frame."""
    wanted = [round(index / max(1, n - 1) * (n_frames - 1)) for index in range(n)]
    assert nearest_frames(n, n_frames).tolist() == wanted


def test_only_the_nearest_frame_is_added_at_a_place():
    made = writer()
    frames = made.frames(features(), SEEN).detach().requires_grad_()
    made.nearest(frames, N)[0, 10].sum().backward()
    assert torch.nonzero(frames.grad[0].abs().amax(-1)).flatten().tolist() == [nearest_frames(N, 24)[10]]


def test_the_order_of_the_frames_is_told_by_the_addition_alone():
    """Without what is added, any order of the frames gives the same codes: start vectors come from the mean."""
    made, other = writer(), features()[:, torch.randperm(N, generator=torch.Generator().manual_seed(0))]
    assert not torch.equal(*(made.write(seen, GREEDY, np.random.default_rng(0)) for seen in (features(), other)))
    for layer in made.low_frames.parameters():
        torch.nn.init.zeros_(layer)
    frames = made.frames(features(), SEEN)
    shuffled = frames[:, torch.randperm(24, generator=torch.Generator().manual_seed(0))]
    made.frames = lambda given, dropped: frames
    first = made.write(features(), GREEDY, np.random.default_rng(0))
    made.frames = lambda given, dropped: shuffled
    assert torch.equal(first, made.write(features(), GREEDY, np.random.default_rng(0)))


def low_forward(made, coarse, frames):
    start = made.low_start(frames.mean(1))
    added = made.low_frames(frames[:, nearest_frames(coarse.shape[1], frames.shape[1])])
    x = torch.cat([start[:, None], made.low.embed(coarse[:, :-1])], dim=1) + made.low.positions[: coarse.shape[1]]
    return (made.low.decoder(x + added) + added) @ made.low.embed.weight.T


def up_forward(made, codes, frames):
    fine = codes[..., 1:].flatten(1)
    added = made.up_coarse(codes[..., 0])
    x = torch.cat([made.up_start(frames.mean(1))[:, None], made.up.embed(fine[:, :-1])], dim=1)
    hidden = made.up.decoder(x + made.up.positions[: fine.shape[1]] + added) + added
    return hidden @ made.up.embed.weight.T


def test_the_loss_is_the_sum_of_both_levels():
    made, codes = writer(), some_codes()
    frames = made.frames(features(), SEEN)
    low = F.cross_entropy(low_forward(made, codes[..., 0], frames)[0], codes[0, :, 0])
    up = F.cross_entropy(up_forward(made, codes, frames)[0], codes[0, :, 1:].flatten())
    found = made.losses(codes, features(), SEEN)
    torch.testing.assert_close(found["low"], low, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found["up"], up, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found["loss"], low + up, atol=1e-5, rtol=1e-5)


def test_written_codes_are_the_most_probable_of_the_whole_forward():
    made = writer()
    codes = made.write(features(), GREEDY, np.random.default_rng(0))
    frames = made.frames(features(), SEEN)
    assert codes.shape == (1, N, 5)
    assert torch.equal(low_forward(made, codes[..., 0], frames).argmax(-1), codes[..., 0])
    assert torch.equal(up_forward(made, codes, frames).argmax(-1).reshape(1, N, 4), codes[..., 1:])


def test_the_condition_of_fine_codes_reaches_13_fine_places_to_each_side():
    """Dilations 1, 3 and 9 of width 3: 13 places of 4 a token; only this and the start vector reach the fine prior."""
    made, coarse = writer(), some_codes()[..., 0]
    changed = coarse.clone()
    changed[:, 10] = (changed[:, 10] + 1) % 12
    differs = (made.up_coarse(changed) - made.up_coarse(coarse)).abs().amax(-1)[0] > 1e-7
    assert torch.nonzero(differs).flatten().tolist() == list(range(40 - 13, 44 + 13))


def test_the_fine_prior_does_not_see_the_order_of_the_frames():
    """Frames in another order have the same mean: the fine codes' loss stays, the coarse ones' does not."""
    made, codes = writer(), some_codes()
    frames = made.frames(features(), SEEN)
    first = made.losses(codes, features(), SEEN)
    made.frames = lambda given, dropped: frames.flip(1)
    second = made.losses(codes, features(), SEEN)
    torch.testing.assert_close(first["up"], second["up"], atol=1e-5, rtol=1e-5)
    assert float((first["low"] - second["low"]).detach().abs()) > 1e-3


def test_without_the_video_no_frame_matters():
    made, dropped = writer(), torch.ones(1, dtype=torch.bool)
    losses = [made.losses(some_codes(), sign * features(), dropped)["loss"] for sign in (1.0, -1.0)]
    assert torch.equal(*losses)


def test_a_long_clip_is_written_in_windows_that_go_on():
    made, how = writer(), Writing(sampling=CodeSampling(), guidance=2.0)
    codes = made.write(features(73), how, np.random.default_rng(0))
    assert codes.shape == (1, 73, 5)
    assert int(codes.max()) < 12
    assert made.evaluations(73) == 3 * 30 * 5
    assert made.evaluations(10) == 50
    first = made.write(features(73)[:, :30], how, np.random.default_rng(0))
    assert torch.equal(codes[:, :30, 0], first[..., 0])


def test_a_later_window_has_its_own_frames_and_its_own_coarse_codes():
    """Greedy codes of the last of two windows (tokens 20 to 49) are the argmax of a forward over that window alone."""
    made, given = writer(), features(50)
    codes = made.write(given, GREEDY, np.random.default_rng(0))
    frames, here = made.frames(given[:, 20:], SEEN), codes[:, 20:]
    low, up = low_forward(made, here[..., 0], frames).argmax(-1), up_forward(made, here, frames).argmax(-1)
    assert torch.equal(low[:, 10:], here[:, 10:, 0])
    assert torch.equal(up.reshape(1, N, 4)[:, 10:], here[:, 10:, 1:])
    other = torch.cat([codes[:, :30, :1], here[..., 1:]], dim=2)
    assert not torch.equal(up_forward(made, other, frames).argmax(-1).reshape(1, N, 4)[:, 10:], here[:, 10:, 1:])
