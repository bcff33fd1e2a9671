"""Choose the seeds that a page shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence


def fullest_seeds(
    rows: Iterable[Sequence[str]],
    results: Collection[str],
    n_seeds: int,
    needed: Iterable[Sequence[str]] = (),
) -> list[int]:
    """Return the seed of which most rows have a result, and the others that have all of its rows.

    Args:
        rows: Names of the results of each row, one a seed.
        results: Names of the results that exist.
        n_seeds: Number of seeds asked for.
        needed: Rows alike, without which a seed is not shown.

    Returns:
        The seeds in order, the first of several that have as many rows among them; none while no row has any.

    Example:
        >>> fullest_seeds([["a0", "a1"], ["b0", "b1"]], {"a0", "a1", "b0"}, 2)
        [0]
    """
    rows, needed = list(rows), list(needed)
    found = [{number for number, names in enumerate(rows) if names[seed] in results} for seed in range(n_seeds)]
    usable = [seed for seed in range(n_seeds) if found[seed] and all(names[seed] in results for names in needed)]
    if not usable:
        return []
    fullest = max(usable, key=lambda seed: len(found[seed]))
    return [seed for seed in usable if found[seed] >= found[fullest]]


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


def shown_phrase(shown: Sequence[int], asked: int) -> str:
    """Return which seeds a page shows: their number, and which where they are not the first ones.

    Example:
        >>> shown_phrase([0, 1], 2), shown_phrase([1], 2)
        ('2 training seeds', '1 training seed (of 2 asked for: the others are not finished; seed 1)')
    """
    phrase = seeds_phrase({"": len(shown)}, asked)
    if list(shown) == list(range(len(shown))):
        return phrase
    named = f"seed{'' if len(shown) == 1 else 's'} {', '.join(map(str, shown))}"
    return f"{phrase.removesuffix(')')}; {named})"
