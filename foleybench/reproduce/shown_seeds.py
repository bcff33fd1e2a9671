"""Choose the seeds that a page shows while some are not finished."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence


def fullest_seeds(rows: Iterable[Sequence[str]], results: Collection[str], n_seeds: int) -> list[int]:
    """Return the seeds of which most rows have a result; none while no row has any.

    Args:
        rows: Names of the results of each row, one a seed.
        results: Names of the results that exist.
        n_seeds: Number of seeds asked for.

    Example:
        >>> fullest_seeds([["a0", "a1"], ["b0", "b1"]], {"a0", "a1", "b0"}, 2)
        [0]
    """
    rows = list(rows)
    counts = [sum(names[seed] in results for names in rows) for seed in range(n_seeds)]
    return [seed for seed, count in enumerate(counts) if count == max(counts) > 0]


def seeds_phrase(numbers: Mapping[str, int], asked: int) -> str:
    """Return how many seeds a page shows, by block where blocks differ, and of how many.

    Args:
        numbers: Title of a block -> its number of seeds.
        asked: Number of seeds asked for.

    Example:
        >>> seeds_phrase({"": 1}, 1), seeds_phrase({"": 2}, 3)
        ('1 training seed', '2 training seeds (of 3 asked for: the others are not finished)')
    """
    part = "" if set(numbers.values()) == {asked} else f" (of {asked} asked for: the others are not finished)"
    words = {n: f"{n} training seed{'' if n == 1 else 's'}" for n in numbers.values()}
    if len(words) == 1:
        return next(iter(words.values())) + part
    return "; ".join(f"{words[n]} of the rows under *{block}*" for block, n in numbers.items()) + part
