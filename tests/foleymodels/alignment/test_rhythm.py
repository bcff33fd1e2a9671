"""What attacks and changes of loudness count, on tokens made by hand."""

import pytest
import torch

from foleymodels._alignment import rhythm
from foleymodels._parts.mel import MelSettings

MEL = MelSettings()


def tokens_of(frames):
    """Frames (n, 64) as one example of tokens."""
    return frames.reshape(1, -1, MEL.token_dim)


def test_an_attack_is_the_rise_above_the_two_frames_before_and_is_a_half_at_its_unit():
    frames = torch.full((12, 64), -1.0)
    frames[6:] += 0.5  # every band rises by 0.5 in the first frame of token 3
    found = rhythm.attacks(tokens_of(frames), MEL)
    assert found.shape == (1, 6, 9)
    assert found[0, :, 8].tolist() == pytest.approx([0, 0, 0, 0.5, 0, 0])
    frames[7, :] = 10.0  # the second frame of the same token rises more: the larger of both counts
    assert float(rhythm.attacks(tokens_of(frames), MEL)[0, 3, 8]) == pytest.approx(10.5 / 11.0)


def test_a_rise_in_one_group_of_bands_is_seen_there_and_thinned_in_the_mean():
    frames = torch.zeros(8, 64)
    frames[4:, 8:16] = 1.0
    found = rhythm.attacks(tokens_of(frames), MEL)[0, 2]
    assert found.tolist() == pytest.approx([0, 1 / 1.5, 0, 0, 0, 0, 0, 0, 0.125 / 0.625])


def test_a_gap_of_one_frame_is_no_attack_and_nor_is_a_fall():
    frames = torch.ones(12, 64)
    frames[6] = 0.0
    frames[8:] = -2.0
    assert not rhythm.attacks(tokens_of(frames), MEL).any()


def test_the_start_of_an_example_is_no_attack():
    assert not rhythm.attacks(tokens_of(torch.full((6, 64), 3.0)), MEL).any()


def test_the_error_of_attacks_is_nothing_for_a_perfect_guess_and_counts_masked_tokens_only():
    wanted = torch.full((1, 4, 9), 0.25)
    logits = torch.logit(wanted)
    mask = torch.tensor([[True, True, False, False]])
    assert float(rhythm.attack_error(logits, wanted, mask)) == pytest.approx(0.0, abs=1e-6)
    logits[0, 2:] = 9.0
    assert float(rhythm.attack_error(logits, wanted, mask)) == pytest.approx(0.0, abs=1e-6)
    logits[0, 0] = 0.0  # cross-entropy ln 2, less the entropy of 0.25, on one of two tokens
    entropy = -(0.25 * torch.tensor(0.25).log() + 0.75 * torch.tensor(0.75).log())
    expected = float(torch.tensor(2.0).log() - entropy) / 2
    assert float(rhythm.attack_error(logits, wanted, mask)) == pytest.approx(expected, rel=1e-5)


def test_a_wrong_timbre_and_a_wrong_level_throughout_are_no_error_of_level():
    tokens = torch.randn(2, 20, MEL.token_dim)
    timbre = torch.linspace(-3.0, 3.0, 64).repeat(2) + 5.0  # its mean over the bands is 5 in every frame
    everything = torch.ones(2, 20, dtype=torch.bool)
    assert float(rhythm.level_error(tokens + timbre, tokens, everything, MEL)) == pytest.approx(0.0, abs=1e-9)


def test_a_step_of_loudness_that_is_missed_counts_at_both_lags():
    tokens = torch.zeros(1, 20, MEL.token_dim)  # 40 frames of 16 ms
    predicted = tokens.clone()
    predicted[0, 10:] = 1.0  # from frame 20 on
    everything = torch.ones(1, 20, dtype=torch.bool)
    expected = 4 / 36 + 0.5 * 16 / 24  # 4 of 36 pairs at a lag of 4 frames, 16 of 24 at a lag of 16
    assert float(rhythm.level_error(predicted, tokens, everything, MEL)) == pytest.approx(expected)
    before = everything.clone()
    before[0, 10:] = False  # what is not masked is not scored
    assert float(rhythm.level_error(predicted, tokens, before, MEL)) == 0.0


def test_shares_of_a_batch_average_to_the_whole():
    torch.manual_seed(0)
    tokens, predicted = torch.randn(4, 24, MEL.token_dim), torch.randn(4, 24, MEL.token_dim)
    mask = torch.rand(4, 24) < 0.8
    whole = float(rhythm.level_error(predicted, tokens, mask, MEL))
    shares = [
        float(rhythm.level_error(predicted[k : k + 2], tokens[k : k + 2], mask[k : k + 2], MEL, mask)) for k in (0, 2)
    ]
    assert sum(shares) / 2 == pytest.approx(whole, rel=1e-5)
