"""Tell which results of a page its own evaluators scored.

Where the page's evaluators are at hand, the results count that name their hashes. Results are kept where evaluators are
not: there, those count that name the pair of evaluators that most of them name (of equally many, that of the smaller
hashes), and never those of the packaged evaluators, which are the tables'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from foleybench.api.weights import Weights, shipped_mini
from foleybench.artefacts.entries import ResultEntry
from foleybench.files import file_sha256
from foleybench.reproduce.plan import Setup

EVALUATOR_NAMES = ("mini_class", "mini_align")


def page_evaluators_folder(setup: Setup) -> Path:
    """Return the folder of the evaluators that a page has of its own."""
    return setup.work / "evaluators"


def evaluators_at_hand(setup: Setup) -> tuple[str, ...] | None:
    """Return the SHA-256 of each evaluator of the page, as ``EVALUATOR_NAMES`` has them; None where one is absent."""
    paths = [page_evaluators_folder(setup) / shipped_mini(name).filename for name in EVALUATOR_NAMES]
    return tuple(map(file_sha256, paths)) if all(path.is_file() for path in paths) else None


def evaluators_named(entry: ResultEntry) -> tuple[str, ...]:
    """Return the SHA-256 of each evaluator that scored a result, as ``EVALUATOR_NAMES`` has them; "" where none did."""
    encoders = entry.result["run"]["encoders"] or {}
    return tuple(str((encoders.get(name) or {}).get("weights_sha256") or "") for name in EVALUATOR_NAMES)


def scored_by_page(setup: Setup, entries: Sequence[ResultEntry]) -> list[ResultEntry]:
    """Return the results that the page's evaluators scored.

    Args:
        setup: Where the evaluators lie, if they are at hand.
        entries: Results of the page.
    """
    counts = evaluators_at_hand(setup) or _most_named(entries)
    return [entry for entry in entries if evaluators_named(entry) == counts]


def _most_named(entries: Sequence[ResultEntry]) -> tuple[str, ...] | None:
    packaged = [_packaged_sha256(shipped_mini(name)) for name in EVALUATOR_NAMES]
    counted = Counter(
        named
        for named in map(evaluators_named, entries)
        if all(named) and not any(one == ours for one, ours in zip(named, packaged, strict=True))
    )
    return min(counted, key=lambda named: (-counted[named], named), default=None)


def _packaged_sha256(weights: Weights) -> str:
    """Return the hash of the file in the package, whatever folder is named now."""
    assert weights.packaged_at
    return file_sha256(weights.packaged_at / weights.filename)
