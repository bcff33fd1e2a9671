"""A sample's loudness over time follows what the flow expects; its timbre and its own loud level stay."""

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


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_two_frames_by_hand(share):
    """Frames alike, the second expected ten times as loud: both move by half of that, times the share."""
    found = magnitudes(with_level(tokens([0.1, 0.1]), tokens([0.01, 0.1]), share, MEL))
    quiet = 3 * MEL.floor / MEL.n_mels
    gap = math.log10((0.1 - MEL.floor + quiet) / (0.01 - MEL.floor + quiet))
    wanted = [0.1 * 10 ** (-share * gap / 2), 0.1 * 10 ** (share * gap / 2)]
    np.testing.assert_allclose(found.numpy(), np.repeat([wanted], MEL.n_mels, axis=0).T, rtol=1e-9)


def test_the_loud_part_keeps_its_level():
    """A soft frame that is expected loud moves; the frame a hundred times as loud hardly does."""
    loud, soft = magnitudes(with_level(tokens([0.5, 0.005]), tokens([0.5, 0.05]), 1.0, MEL))[:, 0].tolist()
    assert loud == pytest.approx(0.5, rel=0.03)
    assert soft == pytest.approx(0.05, rel=0.15)


def test_only_the_level_of_each_clip_and_frame_matters():
    """What is expected to be twice as loud throughout changes nothing, nor does what another clip of the batch does."""
    torch.manual_seed(0)
    sampled, expected = torch.randn(2, 10, 128), torch.randn(2, 10, 128)
    one = with_level(sampled, expected, 0.5, MEL)
    torch.testing.assert_close(one[:1], with_level(sampled[:1], expected[:1], 0.5, MEL))
    moved = (one - sampled).reshape(2, 20, 64)
    torch.testing.assert_close(moved, moved[..., :1].expand_as(moved), atol=1e-5, rtol=0)
    louder = expected.reshape(2, 20, 64).flip(-1).reshape(2, 10, 128) + math.log10(2) / MEL.scale
    torch.testing.assert_close(with_level(sampled, louder, 0.5, MEL), one, atol=0.02, rtol=0)


def test_silence_is_raised_by_twenty_decibels_at_most():
    found = magnitudes(with_level(tokens([0.5, 0.0]), tokens([0.5, 0.5]), 1.0, MEL))[1]
    np.testing.assert_allclose(found.numpy(), 10 * MEL.floor, rtol=1e-6)


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
