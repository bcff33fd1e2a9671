"""What votes say: preference rates, Bradley-Terry scores, agreement of raters."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foleybench.artefacts.people import KIND, SCHEMA
from foleybench.clips import FloatArray, IntArray
from foleybench.people.screening import Screened
from foleybench.people.votes import Vote
from foleybench.runtime.provenance import command_line, git_state, package_versions
from foleybench.stats.bradley_terry import Duels, FittedScores, fit_scores, win_rate_model, win_rates
from foleybench.stats.crossed import Crossing, crossed_rate, crossed_spread
from foleybench.stats.intervals import Interval
from foleybench.stats.ranking import holm
from foleybench.stats.raters import rater_agreement


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """What the votes are about.

    Attributes:
        question: What was asked, "" when nobody says.
        dataset: ``name``, ``split`` and ``manifest_sha256``, or None when nobody says.
        sources: Clip id -> source video; a clip that it lacks is taken for a video of its own.
    """

    question: str
    dataset: Mapping[str, str] | None
    sources: Mapping[str, str]


class VoteTable:
    """Votes as arrays."""

    def __init__(self, votes: Sequence[Vote], sources: Mapping[str, str]) -> None:
        """Number systems, raters and videos; the order of votes changes nothing."""
        self.votes = sorted(votes, key=lambda vote: dataclasses.astuple(vote))
        self.systems = sorted({name for vote in votes for name in (vote.first, vote.second)})
        number = {name: index for index, name in enumerate(self.systems)}
        self.duels = Duels(
            np.array([number[vote.first] for vote in self.votes], dtype=np.int64),
            np.array([number[vote.second] for vote in self.votes], dtype=np.int64),
            np.array([vote.hits for vote in self.votes]),
        )
        videos = [sources.get(vote.clip_id, vote.clip_id) for vote in self.votes]
        self.crossing = Crossing.of([vote.rater for vote in self.votes], videos)

    def hits_of(self, system: int, votes: IntArray) -> FloatArray:
        """Return votes as seen by a system: 1 where it was preferred."""
        hits = self.duels.hits[votes]
        return np.asarray(np.where(self.duels.first[votes] == system, hits, 1 - hits), dtype=np.float64)

    def between(self, first: int, second: int) -> IntArray:
        """Return the positions of the votes between two systems."""
        one, other = self.duels.first, self.duels.second
        return np.flatnonzero(((one == first) & (other == second)) | ((one == second) & (other == first)))


def summarise(screened: Screened, study: Study) -> dict[str, Any]:
    """Return what people say, as ``artefacts.people`` lays it out, without metrics.

    Raises:
        FoleyError: Systems that no vote links, or choix is not installed.
    """
    table = VoteTable(screened.votes, study.sources)
    fitted = fit_scores(table.duels, len(table.systems))
    ties = int(np.sum(table.duels.hits == 0.5))
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "question": study.question,
        "dataset": dict(study.dataset) if study.dataset else None,
        "n": {
            "raters": table.crossing.n_raters,
            "clips": len({vote.clip_id for vote in table.votes}),
            "videos": table.crossing.n_videos,
            "votes": len(table.votes),
            "ties": ties,
        },
        "screening": {"rule": screened.rule, "excluded": [one._asdict() for one in screened.excluded]},
        "raters": _raters(table.votes),
        "left": _left(table),
        "systems": _systems(table, fitted),
        "pairs": _pairs(table, fitted),
        "metrics": [],
        "run": {"command": command_line(), "git": git_state(), "packages": package_versions()},
    }


def _raters(votes: Sequence[Vote]) -> dict[str, Any]:
    units: dict[object, list[str]] = {}
    for vote in votes:
        low, high = sorted((vote.first, vote.second))
        liked = vote.hits if vote.first == low else 1 - vote.hits
        units.setdefault((vote.clip_id, low, high), []).append(str(liked))
    found = rater_agreement(units)
    return {"same": _known(found.same), "alpha": _known(found.alpha), "n_units": found.n_units}


def _left(table: VoteTable) -> dict[str, float | None]:
    """Return how often the left sound was preferred: far from a half, raters followed the place."""
    placed = np.flatnonzero([vote.placed for vote in table.votes])
    return rate_record(table.duels.hits[placed], table.crossing.chosen(placed)) if len(placed) else _interval(math.nan)


def rate_record(hits: FloatArray, crossing: Crossing) -> dict[str, float | None]:
    """Return a rate of votes with its interval, as files hold it."""
    return _interval(*crossed_rate(hits, crossing))


def _systems(table: VoteTable, fitted: FittedScores) -> dict[str, Any]:
    rates, moved = win_rates(fitted)
    least = win_rate_model(fitted)
    found = {}
    for index, name in enumerate(table.systems):
        of_rate = crossed_spread(moved[:, index], table.crossing, float(least[index])).half_width
        model = float(fitted.model[index, index])
        of_score = crossed_spread(fitted.change[:, index], table.crossing, model).half_width
        odds = math.log(rates[index] / (1 - rates[index]))
        score = float(fitted.scores[index])
        votes = np.count_nonzero((table.duels.first == index) | (table.duels.second == index))
        found[name] = {
            "preferred": _around(float(rates[index]), _logistic(odds - of_rate), _logistic(odds + of_rate)),
            "score": _around(score, score - of_score, score + of_score),
            "n_votes": int(votes),
        }
    return found


def _pairs(table: VoteTable, fitted: FittedScores) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for first, second in itertools.combinations(range(len(table.systems)), 2):
        votes = table.between(first, second)
        difference = float(fitted.scores[first] - fitted.scores[second])
        model = fitted.model[first, first] + fitted.model[second, second] - 2 * fitted.model[first, second]
        change = fitted.change[:, first] - fitted.change[:, second]
        spread = crossed_spread(change, table.crossing, float(model))
        found.append(
            {
                "first": table.systems[first],
                "second": table.systems[second],
                "n": len(votes),
                "ties": int(np.sum(table.duels.hits[votes] == 0.5)),
                "rate": rate_record(table.hits_of(first, votes), table.crossing.chosen(votes))
                if len(votes)
                else _interval(math.nan),
                "difference": difference,
                "p_value": spread.p_value(difference),
                "p_holm": None,
            }
        )
    return _with_holm(found)


def _with_holm(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    told = [pair for pair in pairs if pair["p_value"] is not None]
    for pair, p_holm in zip(told, holm([float(pair["p_value"]) for pair in told]), strict=True):
        pair["p_holm"] = p_holm
    return pairs


def _logistic(odds: float) -> float:
    return 1 / (1 + math.exp(-min(700.0, odds))) if odds > -700 else 0.0


def _interval(value: float, interval: Interval | None = None) -> dict[str, float | None]:
    low, high = interval or (math.nan, math.nan)
    return _around(value, min(low, value), max(high, value))


def _around(value: float, low: float, high: float) -> dict[str, float | None]:
    ends = (low, high) if math.isfinite(low) and math.isfinite(high) else (math.nan, math.nan)
    return {"value": _known(value), "low": _known(ends[0]), "high": _known(ends[1])}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
