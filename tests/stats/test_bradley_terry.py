"""Bradley-Terry scores against an optimiser of the same likelihood, and by hand."""

import numpy as np
import pytest
from scipy import optimize, special

from foleybench.errors import FoleyError
from foleybench.stats.bradley_terry import Duels, fit_scores, win_rate_model, win_rates


def drawn(n, seed=0, systems=4, ties=0.2):
    rng = np.random.default_rng(seed)
    first = rng.integers(systems, size=n)
    second = (first + rng.integers(1, systems, size=n)) % systems
    truth = np.linspace(1, -1, systems)
    hits = (rng.random(n) < special.expit(truth[first] - truth[second])).astype(float)
    return Duels(first, second, np.where(rng.random(n) < ties, 0.5, hits))


def slow(duels, systems):
    """Maximise the likelihood with the extra votes, written anew."""
    pairs = {tuple(sorted(pair)) for pair in zip(duels.first.tolist(), duels.second.tolist(), strict=True)}

    def loss(scores):
        gap = scores[duels.first] - scores[duels.second]
        told = duels.hits * np.log(special.expit(gap)) + (1 - duels.hits) * np.log(special.expit(-gap))
        extra = [np.log(special.expit(scores[i] - scores[j])) + np.log(special.expit(scores[j] - scores[i]))
                 for i, j in pairs]  # fmt: skip
        return -told.sum() - sum(extra) / systems

    found = optimize.minimize(loss, np.zeros(systems), tol=1e-12).x
    return found - found.mean()


def test_two_systems_are_the_log_odds_with_half_a_vote_more():
    duels = Duels(np.array([0] * 5 + [1]), np.array([1] * 5 + [0]), np.array([1.0, 1, 1, 0, 0.5, 0]))
    fitted = fit_scores(duels, 2)
    assert fitted.scores[0] - fitted.scores[1] == pytest.approx(np.log(5.0 / 2.0))  # 4.5 against 1.5
    rates, _ = win_rates(fitted)
    assert rates == pytest.approx([5 / 7, 2 / 7])


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_a_plain_optimiser(seed):
    duels = drawn(60, seed)
    np.testing.assert_allclose(fit_scores(duels, 4).scores, slow(duels, 4), atol=2e-4)


def test_who_wins_every_vote_has_a_finite_score():
    duels = Duels(np.array([0, 0, 0, 1]), np.array([1, 1, 2, 2]), np.array([1.0, 1.0, 1.0, 1.0]))
    fitted = fit_scores(duels, 3)
    np.testing.assert_allclose(fitted.scores, slow(duels, 3), atol=2e-4)
    assert fitted.scores[0] > fitted.scores[1] > fitted.scores[2]
    assert np.all(np.diag(fitted.model) > 0.3)  # four votes say little


def test_change_is_what_leaving_a_vote_out_does():
    duels = drawn(400)
    fitted = fit_scores(duels, 4)
    rates, moved = win_rates(fitted)
    for vote in (0, 7, 200):
        kept = np.arange(400) != vote
        without = fit_scores(Duels(*(column[kept] for column in duels)), 4)
        np.testing.assert_allclose(fitted.scores - without.scores, fitted.change[vote], atol=3e-4)
        logits = special.logit(rates) - special.logit(win_rates(without)[0])
        np.testing.assert_allclose(logits, moved[vote], atol=3e-4)


def test_model_covariance_is_the_spread_over_draws():
    """300 sets of votes: the covariance that the model says, and that of win rates, against those found."""
    fits = [fit_scores(drawn(300, seed), 4) for seed in range(300)]
    found = np.var([fitted.scores for fitted in fits], axis=0)
    said = np.mean([np.diag(fitted.model) for fitted in fits], axis=0)
    np.testing.assert_allclose(said, found, rtol=0.3)
    logits = np.var([special.logit(win_rates(fitted)[0]) for fitted in fits], axis=0)
    np.testing.assert_allclose(np.mean([win_rate_model(fitted) for fitted in fits], axis=0), logits, rtol=0.3)


def test_systems_that_nothing_links_are_refused():
    duels = Duels(np.array([0, 2]), np.array([1, 3]), np.array([1.0, 0.0]))
    with pytest.raises(FoleyError, match="2 groups that no vote compares"):
        fit_scores(duels, 4)
