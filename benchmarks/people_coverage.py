"""How often the intervals of ``foleybench votes`` hold the truth, on made votes.

Every vote comes from a Bradley-Terry law whose scores vary between raters and between videos. The truth is what
infinitely many raters and videos would say. Beside ours stands the percentile bootstrap that draws raters and videos
anew (Owen 2007).

``python benchmarks/people_coverage.py --sets 1000 --seed 0``
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from foleybench.people.screening import Screened
from foleybench.people.summary import Study, VoteTable, summarise
from foleybench.people.votes import Vote
from foleybench.stats.bradley_terry import _maximum
from foleybench.stats.rank_correlation import rank_correlation

SCORES = np.array([1.2, 0.4, -0.3, -1.3])
TIES = 0.15


@dataclasses.dataclass(frozen=True)
class Plan:
    """A listening test: raters, videos, and how much each varies (standard deviation of a system's score)."""

    raters: int
    videos: int
    of_raters: float
    of_videos: float
    share: float = 1.0  # of all pairs and videos that a rater judges


PLANS = [
    Plan(raters, videos, of_raters, of_videos, share)
    for raters, videos, share in ((3, 10, 1.0), (5, 10, 1.0), (10, 10, 0.5), (10, 30, 0.25), (30, 20, 0.25))
    for of_raters, of_videos in ((0.0, 0.0), (0.7, 0.0), (0.0, 0.7), (0.7, 0.7))
]


class Truth(NamedTuple):
    """What infinitely many votes would say: share of votes for the row's system, and scores."""

    rates: np.ndarray
    scores: np.ndarray


def truth(plan: Plan) -> Truth:
    """Integrate over raters and videos: a difference of scores is normal with twice the variances."""
    spread = np.sqrt(2 * (plan.of_raters**2 + plan.of_videos**2))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    gaps = (SCORES[:, None] - SCORES[None, :])[..., None] + spread * nodes
    rates = TIES / 2 + (1 - TIES) * (special.expit(gaps) * weights).sum(axis=-1) / weights.sum()
    counts = rates.copy()
    np.fill_diagonal(counts, 0.0)
    return Truth(rates, _maximum(counts))


def votes_of(plan: Plan, rng: np.random.Generator) -> list[Vote]:
    """Draw a listening test."""
    raters = rng.normal(0, plan.of_raters, (plan.raters, len(SCORES)))
    videos = rng.normal(0, plan.of_videos, (plan.videos, len(SCORES)))
    found = []
    for rater in range(plan.raters):
        for video in range(plan.videos):
            for first in range(len(SCORES)):
                for second in range(first + 1, len(SCORES)):
                    if rng.random() < plan.share:
                        score = SCORES + raters[rater] + videos[video]
                        won = float(rng.random() < special.expit(score[first] - score[second]))
                        hits = 0.5 if rng.random() < TIES else won
                        found.append(Vote(f"r{rater}", f"v{video}", f"s{first}", f"s{second}", hits))
    return found


def bootstrap(table: VoteTable, rng: np.random.Generator, draws: int = 400) -> tuple[float, float]:
    """Return the percentile interval of the rate of the first pair, raters and videos drawn anew."""
    votes = table.between(0, 1)
    hits = table.hits_of(0, votes)
    crossing = table.crossing.chosen(votes)
    weights = np.ones((draws, len(hits)))
    for codes in (crossing.raters, crossing.videos):
        n = int(codes.max()) + 1
        weights *= rng.multinomial(n, np.full(n, 1 / n), size=draws)[:, codes]
    kept = weights.sum(axis=1) > 0
    rates = weights[kept] @ hits / weights[kept].sum(axis=1)
    return tuple(np.quantile(rates, [0.025, 0.975]))


def cover(plan: Plan, sets: int, seed: int) -> list[float]:
    """Return how often each interval holds its truth, and the mean width of two of them."""
    rng = np.random.default_rng([seed, *map(int, np.array(dataclasses.astuple(plan)) * 100)])
    known, found = truth(plan), []
    wins = (known.rates.sum(axis=1) - 0.5) / (len(SCORES) - 1)
    expected = [(special.expit(known.scores[i] - np.delete(known.scores, i))).mean() for i in range(len(SCORES))]
    assert np.allclose(wins, expected, atol=0.02)  # the law is nearly Bradley-Terry's after integrating, too
    study = Study(question="", dataset=None, sources={})
    for _ in range(sets):
        votes = votes_of(plan, rng)
        said = summarise(Screened(votes, [], ""), study)
        pair = said["pairs"][0]["rate"]
        near = said["pairs"][1]
        drawn = bootstrap(VoteTable(votes, {}), rng)
        marks = [holds(pair, known.rates[0, 1]), float(drawn[0] <= known.rates[0, 1] <= drawn[1])]
        for index in (0, 1):
            system = said["systems"][f"s{index}"]
            marks += [holds(system["preferred"], expected[index]), holds(system["score"], known.scores[index])]
        found.append([*marks, pair["high"] - pair["low"], drawn[1] - drawn[0]])
        assert near["first"] == "s0"
    return list(np.mean(found, axis=0))


def holds(record: dict[str, float], value: float) -> float:
    """Return 1 when an interval holds a value."""
    return float(record["low"] <= value <= record["high"])


def spearman_cover(n: int, rho: float, sets: int, seed: int) -> float:
    """Return how often the interval of Spearman's correlation of n systems holds the truth, for normal scores."""
    rng = np.random.default_rng([seed, n, int(1000 * rho)])
    pearson = 2 * np.sin(np.pi * rho / 6)
    hits = 0
    for _ in range(sets):
        first = rng.normal(size=n)
        second = pearson * first + np.sqrt(1 - pearson**2) * rng.normal(size=n)
        low, high = rank_correlation(list(first), list(second)).interval
        hits += low <= rho <= high
    assert abs(stats.spearmanr(first, second).statistic) <= 1
    return hits / sets


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    heads = ["raters", "videos", "pairs judged", "sd raters", "sd videos", "rate of a pair", "the same, bootstrap"]
    heads += ["preferred, best", "score, best", "preferred, second", "score, second", "width", "width, bootstrap"]
    print("| " + " | ".join(heads) + " |\n" + "| --: " * len(heads) + "|")
    for plan in PLANS:
        *covered, ours, theirs = cover(plan, args.sets, args.seed)
        cells = [plan.raters, plan.videos, f"{100 * plan.share:.0f} %", plan.of_raters, plan.of_videos]
        cells += [f"{100 * share:.1f} %" for share in covered] + [f"{ours:.2f}", f"{theirs:.2f}"]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    truths = (0.0, 0.5, 0.8, 0.95)
    print("\n| systems | " + " | ".join(f"truth {rho:g}" for rho in truths) + " |\n| --: |" + " --: |" * len(truths))
    for n in (5, 6, 8, 10, 20):
        cells = [f"{100 * spearman_cover(n, rho, args.sets, args.seed):.1f} %" for rho in truths]
        print(f"| {n} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
