"""A sample's loudness over time follows what the flow expects; its timbre and its loudest frame stay."""

import math

import numpy as np
import pytest
import torch

from foleybench.api.model import BuildContext
from foleymodels._flow.generate import flow_generator
from foleymodels._flow.level import with_level
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.windows import Windows
from tests.foleymodels.flow.small_flow import SIGNAL, clip, conditions, random_flow

MEL = MelSettings()


def tokens(magnitudes):
    """Return tokens of flat frames of the given magnitudes in each band."""
    logs = torch.log10(torch.tensor(magnitudes, dtype=torch.float64).clamp_min(MEL.floor))
    return ((logs - MEL.mean) / MEL.scale).repeat_interleave(MEL.n_mels).reshape(1, -1, MEL.token_dim)


def magnitudes(found):
    return 10.0 ** (found.reshape(-1, MEL.n_mels) * MEL.scale + MEL.mean)


def level(magnitude):
    """Level of a frame whose 64 bands have one magnitude, by hand."""
    return math.log10(64 * (magnitude - MEL.floor) + 3 * MEL.floor)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_two_frames_by_hand(share):
    """Frames alike, the first expected at a tenth: it falls by the share of that, the loudest one stays."""
    found = magnitudes(with_level(tokens([0.1, 0.1]), tokens([0.01, 0.1]), share, MEL))
    softer = 0.1 * 10 ** (share * (level(0.01) - level(0.1)))
    np.testing.assert_allclose(found.numpy(), np.repeat([[softer, 0.1]], MEL.n_mels, axis=0).T, rtol=1e-9)


def test_the_loudest_frame_stays_as_loud_whatever_is_expected():
    """Expected ten times as loud throughout: nothing changes. Another frame expected loudest: it becomes as loud."""
    sampled = tokens([0.5, 0.3])
    torch.testing.assert_close(with_level(sampled, tokens([5.0, 3.0]), 1.0, MEL), sampled, atol=1e-3, rtol=0)
    first, second = magnitudes(with_level(sampled, tokens([0.05, 0.5]), 1.0, MEL))[:, 0].tolist()
    assert second == pytest.approx(0.5, rel=1e-3)
    assert first == pytest.approx(0.05, rel=0.01)


def test_a_soft_frame_is_raised_by_six_decibels_at_most():
    found = magnitudes(with_level(tokens([0.5, 0.01, 0.004, 0.5]), tokens([0.5] * 4), 1.0, MEL))[:, 0]
    np.testing.assert_allclose(found.numpy(), [0.5, 0.02, 0.008, 0.5], rtol=1e-6)


def test_what_is_silent_stays_silent():
    sampled = tokens([0.5, 0.01]).clone()
    sampled[..., 64:96] = (math.log10(1.19 * MEL.floor) - MEL.mean) / MEL.scale  # half of the bands of the second frame
    found = with_level(sampled, tokens([0.5, 0.5]), 1.0, MEL)
    torch.testing.assert_close(found[..., 64:96], sampled[..., 64:96])
    np.testing.assert_allclose(magnitudes(found)[1, 32:].numpy(), 0.02, rtol=1e-6)


def test_tokens_far_beyond_any_sound_stay_finite():
    sampled = torch.full((1, 2, 128), 99.0)
    sampled[:, 1] = 0.0
    assert with_level(sampled, sampled.flip(1), 1.0, MEL).isfinite().all()


def test_only_the_level_of_each_clip_and_frame_matters():
    """Not how it is spread over the bands, nor another clip of the batch; all bands of a frame move alike."""
    torch.manual_seed(0)
    sampled, expected = torch.rand(2, 10, 128), torch.randn(2, 10, 128)
    one = with_level(sampled, expected, 0.5, MEL)
    torch.testing.assert_close(one[:1], with_level(sampled[:1], expected[:1], 0.5, MEL))
    moved = (one - sampled).reshape(2, 20, 64)
    torch.testing.assert_close(moved, moved[..., :1].expand_as(moved), atol=1e-5, rtol=0)
    turned = expected.reshape(2, 20, 64).flip(-1).reshape(2, 10, 128)
    torch.testing.assert_close(with_level(sampled, turned, 0.5, MEL), one, atol=1e-4, rtol=0)


def test_the_first_estimate_of_the_sampler_is_what_is_expected():
    """With one evaluation the sample is that estimate, and nothing changes; with several it is the sample of one."""
    windows = Windows.cover(20, 40)

    def made(share, nfe):
        context = BuildContext(nfe=nfe, level_share=share)
        generator = flow_generator(random_flow(), conditions, SIGNAL, context)
        assert generator.level_share == share
        return generator._make([clip(0.64)], windows, np.random.default_rng(3))

    torch.testing.assert_close(made(1.0, 1), made(0.0, 1), atol=1e-4, rtol=1e-4)
    plain, followed = made(0.0, 4), made(0.5, 4)
    assert not torch.allclose(plain, followed, atol=1e-2)
    torch.testing.assert_close(followed, with_level(plain, made(0.0, 1), 0.5, SIGNAL.mel), atol=1e-4, rtol=1e-4)
