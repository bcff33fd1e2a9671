"""Say how many of the clips asked for are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def coverage(dataset: Mapping[str, Any]) -> str:
    """Return how much of a data set's list a result is about; "" for all of it, and where that is not recorded.

    Args:
        dataset: The result's section: ``n_clips`` usable clips, of ``n_listed`` lines of the manifest; or of a
            ``subset``, which states its number of clips.

    Example:
        >>> coverage({"n_clips": 5, "n_listed": 15446})
        '5 of 15,446 clips asked for (0.032 %)'
        >>> coverage({"n_clips": 5, "subset": {"name": "mmaudio", "n_ids": 15221}})
        '5 of 15,221 clips of subset mmaudio (0.033 %)'
        >>> coverage({"n_clips": 5})
        ''
    """
    subset = dataset.get("subset")
    n_clips, n_all = dataset["n_clips"], subset["n_ids"] if subset else dataset.get("n_listed", 0)
    if n_all <= n_clips:
        return ""
    return f"{n_clips:,} of {n_all:,} clips {_of(subset)} ({_percent(n_clips / n_all)} %)"


def _of(subset: Mapping[str, Any] | None) -> str:
    return f"of subset {subset['name']}" if subset else "asked for"


def _percent(share: float) -> str:
    """Return a share below 1 in percent, never as 100."""
    percent = 100 * share
    return f"{min(percent, 99.9):.1f}" if percent >= 1 else f"{percent:.2g}"
