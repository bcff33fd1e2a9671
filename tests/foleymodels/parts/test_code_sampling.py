import math

import numpy as np
import pytest
import torch

from foleybench.errors import MediaError, UnknownNameError
from foleymodels._parts.code_sampling import CodeSampling, draw_codes, probabilities, write_codes

HALVES = torch.tensor([0.5, 0.125, 0.25, 0.125]).log()


def naive(logits, temperature, top_k, top_p):
    """The same rule by plain lists."""
    weights = [math.exp(value / temperature) for value in logits]
    if top_k:
        least = sorted(weights, reverse=True)[min(top_k, len(weights)) - 1]
        weights = [weight if weight >= least else 0.0 for weight in weights]
    found = [weight / sum(weights) for weight in weights]
    kept, total = set(), 0.0
    for code in sorted(range(len(found)), key=lambda code: -found[code]):
        if total >= top_p and top_p < 1.0:
            break
        kept.add(code)
        total += found[code]
    found = [value if code in kept else 0.0 for code, value in enumerate(found)]
    return [value / sum(found) for value in found]


def test_top_k_by_hand():
    found = probabilities(HALVES, CodeSampling(top_k=2))
    assert found.tolist() == pytest.approx([2 / 3, 0.0, 1 / 3, 0.0])


def test_codes_as_probable_as_the_last_one_kept_are_kept():
    assert (probabilities(HALVES, CodeSampling(top_k=3)) > 0).all()


@pytest.mark.parametrize(("top_p", "wanted"), [(0.5, [1, 0, 0, 0]), (0.6, [2 / 3, 0, 1 / 3, 0]), (1.0, None)])
def test_top_p_by_hand(top_p, wanted):
    """The code that reaches the sum is kept: 0.5 is reached by the first, 0.6 by the first two."""
    found = probabilities(HALVES, CodeSampling(top_p=top_p))
    assert found.tolist() == pytest.approx(wanted or HALVES.exp().tolist())


def test_temperature_by_hand():
    """At half the temperature probabilities are squared; at 0 the most probable code is certain."""
    assert probabilities(torch.tensor([0.0, math.log(3.0)]), CodeSampling(temperature=0.5)).tolist() == pytest.approx(
        [0.1, 0.9]
    )
    assert probabilities(HALVES, CodeSampling(temperature=0.0)).tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("seed", range(30))
def test_a_naive_sampler_agrees(seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, int(rng.integers(2, 12)))
    asked = {"temperature": float(rng.uniform(0.3, 2)), "top_k": int(rng.integers(0, 14)), "top_p": rng.uniform(0.1, 1)}
    found = probabilities(torch.from_numpy(logits), CodeSampling(**asked))
    assert found.tolist() == pytest.approx(naive(logits.tolist(), **asked), abs=1e-12)


def test_codes_are_drawn_as_often_as_they_are_probable():
    """20000 draws: the standard error of a share is 0.0035 at most."""
    uniform = torch.from_numpy(np.random.default_rng(0).random(20000))
    codes = draw_codes(HALVES.expand(20000, 4), uniform, CodeSampling())
    shares = torch.bincount(codes, minlength=4) / 20000
    torch.testing.assert_close(shares, HALVES.exp(), atol=0.015, rtol=0)


def test_codes_that_are_left_out_are_never_drawn():
    uniform = torch.cat([torch.zeros(1), torch.ones(1) - 1e-7, torch.linspace(0, 0.9999, 500)])
    codes = draw_codes(HALVES.expand(502, 4), uniform.double(), CodeSampling(top_k=2))
    assert set(codes.tolist()) == {0, 2}
    assert codes[:2].tolist() == [0, 2]


def test_the_ends_of_the_uniform_numbers_are_the_ends_of_the_codes():
    least, most = torch.zeros(1).double(), torch.tensor([np.nextafter(1.0, 0.0)])
    logits = torch.tensor([[-1000.0, 0.0, 0.0, -1000.0]])
    assert draw_codes(logits, least, CodeSampling()).item() == 1
    assert draw_codes(logits, most, CodeSampling()).item() == 2


@pytest.mark.parametrize("wrong", [{"temperature": -1.0}, {"top_k": -1}, {"top_p": 0.0}, {"top_p": 1.5}])
def test_values_without_a_meaning_are_refused(wrong):
    with pytest.raises(UnknownNameError, match=next(iter(wrong))):
        CodeSampling(**wrong)


def test_steps_are_told_the_step_before_and_given_codes_stay():
    """The network of this test wants the next code to be one more than the last: 5 at first."""
    told = []

    def next_logits(codes):
        told.append(None if codes is None else codes.tolist())
        wanted = torch.full((1, 2), 5) if codes is None else (codes + 1) % 10
        return torch.nn.functional.one_hot(wanted, 10) * 100.0

    forced = torch.tensor([[[-1, -1], [-1, 2], [-1, -1]]])
    codes = write_codes(next_logits, forced, CodeSampling(), np.random.default_rng(0))
    assert codes.tolist() == [[[5, 5], [6, 2], [7, 3]]]
    assert told == [None, [[5, 5]], [[6, 2]]]


def test_a_given_code_does_not_change_the_chance_of_others():
    """Every place takes its own uniform number, drawn or given."""

    def next_logits(codes):
        return torch.zeros(1, 2, 1000)

    free, half = torch.full((1, 4, 2), -1), torch.full((1, 4, 2), -1)
    half[:, :, 0] = 0
    first, second = (
        write_codes(next_logits, forced, CodeSampling(), np.random.default_rng(3)) for forced in (free, half)
    )
    assert torch.equal(first[..., 1], second[..., 1])
    assert (second[..., 0] == 0).all()


def test_codebooks_of_a_step_are_drawn_independently():
    """Of 1000 equally probable codes, two books agree in about 1 of 1000 places and not in all."""

    def next_logits(codes):
        return torch.zeros(1, 2, 1000)

    codes = write_codes(next_logits, torch.full((1, 200, 2), -1), CodeSampling(), np.random.default_rng(0))
    assert (codes[..., 0] == codes[..., 1]).sum() < 5
    assert codes[..., 0].unique().numel() > 150


def test_logits_that_are_not_finite_are_not_hidden_by_codes():
    def next_logits(codes):
        return torch.full((1, 1, 4), torch.nan)

    with pytest.raises(MediaError, match="logits"):
        write_codes(next_logits, torch.full((1, 1, 1), -1), CodeSampling(), np.random.default_rng(0))
