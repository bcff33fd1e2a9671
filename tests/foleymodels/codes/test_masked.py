"""Masked decoding: schedule, what is never touched, number of evaluations, and known distributions."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foleybench.errors import FoleyError, MediaError
from foleymodels._codes.generate import guided_logits
from foleymodels._codes.masked import Unmasking, still_masked, unmask
from foleymodels._codes.network import CodeEmbedding, LookupEmbedding, MultiwayBlock, masked_loss
from foleymodels._parts.code_sampling import CodeSampling

K = 7


def random_codes(batch=3, n=6, levels=2, seed=0):
    return torch.randint(0, K, (batch, n, levels), generator=torch.Generator().manual_seed(seed))


class Watched:
    """Predicts from a table, and keeps what it was shown."""

    def __init__(self, logits):
        self.logits, self.seen = logits, []

    def __call__(self, codes):
        self.seen.append(codes.clone())
        return self.logits.expand(*codes.shape, -1)


def test_the_schedule_by_hand():
    """Steps of MaskGIT for 10 codes in 5 steps: floor(10 cos(pi i / 10)) = 9, 8, 5, 3, 0."""
    now, found = torch.tensor([10]), []
    for step in range(5):
        now = still_masked(torch.tensor([10]), now, step, 5)
        found.append(int(now))
    assert found == [9, 8, 5, 3, 0]


def test_few_codes_lose_one_a_step_and_the_last_waits_for_the_end():
    now, found = torch.tensor([3, 0, 1]), []
    for step in range(6):
        now = still_masked(torch.tensor([3, 0, 1]), now, step, 6)
        found.append(now.tolist())
    assert found == [[2, 0, 1], [1, 0, 1], [1, 0, 1], [1, 0, 1], [1, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize("steps", [1, 2, 5, 16])
def test_codes_outside_the_mask_never_change_and_evaluations_are_the_steps(steps):
    codes = random_codes(batch=4, n=9)
    mask = torch.rand(codes.shape, generator=torch.Generator().manual_seed(1)) < 0.6
    mask[2] = False
    predict = Watched(torch.randn(K, generator=torch.Generator().manual_seed(2)))
    found = unmask(predict, codes, mask, K, Unmasking(steps=steps), np.random.default_rng(0))
    assert torch.equal(found[~mask], codes[~mask])
    assert len(predict.seen) == steps
    assert all(torch.equal(seen[~mask], codes[~mask]) for seen in predict.seen)
    assert torch.equal(predict.seen[0] == K, mask), "all of the mask is hidden at first, whatever stood there"
    assert int(found.max()) < K
    hidden = [(seen == K).flatten(1).sum(1) for seen in predict.seen]
    assert all(bool((later <= earlier).all()) for earlier, later in itertools.pairwise(hidden))


def test_what_was_filled_stays():
    predict = Watched(torch.zeros(K))
    found = unmask(predict, random_codes(), torch.ones(3, 6, 2, dtype=torch.bool), K, Unmasking(steps=5),
                   np.random.default_rng(0))  # fmt: skip
    for seen in predict.seen:
        known = seen != K
        assert torch.equal(seen[known], found[known])


def shown_at(logits, noise, seed=0, steps=6):
    """Return whether each position was filled before each step, (steps, n)."""
    predict, shape = Watched(logits), (1, len(logits), 1)
    unmask(predict, torch.zeros(shape, dtype=torch.int64), torch.ones(shape, dtype=torch.bool), K,
           Unmasking(steps=steps, noise=noise), np.random.default_rng(seed))  # fmt: skip
    return torch.stack([seen[0, :, 0] != K for seen in predict.seen])


# Position p prefers one code, the more the higher p is.
RISING = 8 * torch.arange(6.0)[:, None, None] * F.one_hot(torch.tensor(4), K).float()


def test_without_noise_the_surest_come_first():
    shown = shown_at(RISING, 0.0)
    assert bool(shown[2][-1])
    assert not bool(shown[5][0]), "the position without a preference is the last"
    assert bool(shown[5][2:].all())


def test_noise_on_the_confidence_changes_the_order():
    early = torch.stack([shown_at(RISING, 50.0, seed)[3][0] for seed in range(40)])
    assert 0.25 < float(early.float().mean()) < 0.75, "with much noise half of the unsure ones come in the first half"
    assert not bool(shown_at(RISING, 0.0)[3][0])


@pytest.mark.parametrize(("noise", "wanted"), [(2.0, 4 / 5), (4.0, 2 / 3)])
def test_the_noise_is_gumbels_and_halved_after_half_of_the_steps(noise, wanted):
    """Two codes of chance 1/2 and 1/8: the difference of Gumbel numbers is logistic, so the first one is filled first
    with probability 1 / (1 + exp(-log(4) / (noise / 2)))."""
    logits = torch.full((2, 1, 8), -60.0)
    logits[0, 0, :2] = logits[1, 0] = 0.0
    predict = Watched(logits)
    unmask(predict, torch.zeros(4000, 2, 1, dtype=torch.int64), torch.ones(4000, 2, 1, dtype=torch.bool), 8,
           Unmasking(steps=2, noise=noise), np.random.default_rng(0))  # fmt: skip
    first = (predict.seen[1][:, :, 0] != 8).float().mean(0)
    assert float(first.sum()) == pytest.approx(1.0)
    assert float(first[0]) == pytest.approx(wanted, abs=0.025)


def test_drawn_codes_have_the_predicted_probabilities():
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, 0.5, 0.0, -3.0])
    found = unmask(
        Watched(logits), torch.zeros(500, 4, 2, dtype=torch.int64), torch.ones(500, 4, 2, dtype=torch.bool), K,
        Unmasking(steps=3, noise=1e6), np.random.default_rng(0),
    )  # fmt: skip
    shares = torch.bincount(found.flatten(), minlength=K) / found.numel()
    torch.testing.assert_close(shares, logits.softmax(0), atol=0.03, rtol=0)


def test_a_seed_decides_and_top_k_bounds():
    args = (torch.zeros(2, 5, 2, dtype=torch.int64), torch.ones(2, 5, 2, dtype=torch.bool), K)
    logits = torch.arange(float(K))
    one, same, other = (unmask(Watched(logits), *args, Unmasking(), np.random.default_rng(s)) for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    few = unmask(Watched(logits), *args, Unmasking(codes=CodeSampling(top_k=2)), np.random.default_rng(0))
    assert int(few.min()) >= K - 2


def test_logits_that_are_not_finite_and_no_steps_are_refused():
    args = (torch.zeros(1, 2, 1, dtype=torch.int64), torch.ones(1, 2, 1, dtype=torch.bool), K)
    with pytest.raises(MediaError, match="logits"):
        unmask(Watched(torch.full((K,), torch.nan)), *args, Unmasking(), np.random.default_rng(0))
    with pytest.raises(FoleyError, match="0 steps"):
        Unmasking(steps=0)


def test_guidance_by_hand():
    def predict(codes, conditions, dropped):
        return torch.where(dropped[:, None, None, None], 1.0, 3.0) * torch.ones(*codes.shape, K)

    codes, conditions = random_codes(), torch.zeros(3, 6, 4)
    for scale, wanted in ((1.0, 3.0), (2.0, 5.0), (0.0, 1.0)):
        assert torch.equal(guided_logits(predict, codes, conditions, scale), torch.full((3, 6, 2, K), wanted))


def test_the_masked_loss_by_hand():
    logits, codes = torch.randn(2, 3, 2, K, generator=torch.Generator().manual_seed(0)), random_codes(2, 3)
    mask = torch.zeros(2, 3, 2, dtype=torch.bool)
    mask[0, 1, 0] = mask[1, 2, 1] = True
    own = [-logits[0, 1, 0].log_softmax(0)[codes[0, 1, 0]], -logits[1, 2, 1].log_softmax(0)[codes[1, 2, 1]]]
    torch.testing.assert_close(masked_loss(logits, codes, mask, 2.0), (own[0] + own[1]) / 2)
    spread = [0.9 * loss - 0.1 * logits[at].log_softmax(0).mean() for loss, at in zip(own, [(0, 1, 0), (1, 2, 1)],
                                                                                      strict=True)]  # fmt: skip
    torch.testing.assert_close(masked_loss(logits, codes, mask, 2.0, 0.1), (spread[0] + spread[1]) / 2)
    assert float(masked_loss(logits, codes, torch.zeros_like(mask), 0.0)) == 0.0


def test_the_mean_over_processes_is_the_loss_of_the_whole_batch():
    logits, codes = torch.randn(4, 3, 2, K, generator=torch.Generator().manual_seed(0)), random_codes(4, 3)
    mask = torch.rand(codes.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    whole = masked_loss(logits, codes, mask, float(mask.sum()))
    shares = [masked_loss(logits[rows], codes[rows], mask[rows], float(mask.sum()) / 2)
              for rows in (slice(0, 2), slice(2, 4))]  # fmt: skip
    assert int(mask[:2].sum()) != int(mask[2:].sum())
    torch.testing.assert_close(torch.stack(shares).mean(), whole)


def test_vectors_of_codes_are_sums_over_levels():
    codes = torch.tensor([[[2, K]]])
    learned = CodeEmbedding(2, K, 4)
    torch.testing.assert_close(learned(codes)[0, 0], learned.tables[0, 2] + learned.tables[1, K])
    known = torch.randn(2, K, 3)
    looked_up = LookupEmbedding(known, 4)
    vector = known[0, 2] + looked_up.mask[1, 0]
    torch.testing.assert_close(looked_up(codes)[0, 0], looked_up.project(vector))
    assert not looked_up.known.requires_grad


def test_a_block_has_a_feed_forward_part_for_each_modality():
    block, table = MultiwayBlock(8, 2, 16, modalities=2), torch.ones(5, 2, dtype=torch.complex64)
    x = torch.randn(1, 5, 8)
    with torch.no_grad():
        plain = block(x, table, (2, 3))
        block.mlps[1].leave.bias.add_(1.0)
        changed = block(x, table, (2, 3))
    torch.testing.assert_close(changed[:, :2], plain[:, :2])
    torch.testing.assert_close(changed[:, 2:], plain[:, 2:] + 1.0)
    with torch.no_grad():
        assert torch.equal(block(x, table), block(x, table, (5, 0)))
        second = block(x, table, (0, 5))
    attended = x + block.attention(block.norm(x), table)
    torch.testing.assert_close(second, attended + block.mlps[1](block.mlp_norm(attended)))
