"""Say why a value counts fewer clips than were asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from foleybench import registry
from foleybench.errors import FoleyError

# Kinds of problem that are reported, while the clip is scored and its result may be complete.
CAVEATS = frozenset(
    {
        *("short", "long", "silent", "damaged", "truncated", "sound_gap", "closed_gap", "cancelled", "other_tracks"),
        *("unknown_delay", "over_scale", "odd_reference"),
    }
)
# Kinds of problem of clips that are scored, of a result that is not complete.
_SCORED = CAVEATS | {"too_short", "fewer_takes"}

# How a card says when its metric has no value, where the metric does not apply to every clip.
_LACKING = "no clip has "


def why_not_scored(result: Mapping[str, Any]) -> str:
    """Return why clips have no value at all, as ``2 missing, 1 undecodable``; "" when all are scored.

    Example:
        >>> problems = [{"clip_id": "a", "kind": "missing"}, {"clip_id": "b", "kind": "silent"}]
        >>> why_not_scored({"dataset": {"n_clips": 3, "n_scored": 2}, "problems": problems, "metrics": {}})
        '1 missing'
    """
    n_unasked = int(result["dataset"]["n_clips"]) - n_asked(result)
    unasked = f"{n_unasked} not asked for" if n_unasked > 0 else ""
    return ", ".join(filter(None, (_why_lost(result), unasked)))


def why_fewer(result: Mapping[str, Any], name: str) -> str:
    """Return why a metric's value counts fewer clips than were asked for; "" when it counts all of them.

    Example:
        >>> record = {"n_asked": 3, "n_used": 1, "not_applicable": 1}
        >>> problems = [{"clip_id": "a", "kind": "missing"}]
        >>> data = {"n_clips": 3, "n_scored": 2}
        >>> why_fewer({"dataset": data, "problems": problems, "metrics": {"onset_ap": record}}, "onset_ap")
        '1 missing, 1 without an onset to be hit'
    """
    record = result["metrics"][name]
    n_not_applicable = record["not_applicable"]
    lacking = _not_applicable(name)
    if n_not_applicable != 1:
        lacking = lacking.replace(" its ", " their ")
    return _joined(
        record["n_asked"] - record["n_used"],
        [(_n_lost(result), _why_lost(result)), (n_not_applicable, f"{n_not_applicable} {lacking}")],
    )


def _not_applicable(name: str) -> str:
    """Return what the clips lack that a metric does not apply to, from its card; less where there is no card here."""
    try:
        undefined: str = registry.load("metrics", name).undefined
    except FoleyError:
        undefined = ""
    if not undefined.startswith(_LACKING):
        return "that it does not apply to"
    # What follows says when there is no value for another reason, or why.
    lacking = undefined.removeprefix(_LACKING).split(", or ")[0].split(": ")[0]
    return f"without {lacking}"


def _why_lost(result: Mapping[str, Any]) -> str:
    """Return why clips that were asked for have no value at all."""
    kinds: dict[str, str] = {}
    for problem in result["problems"]:
        if problem["kind"] not in _SCORED:
            kinds.setdefault(problem["clip_id"], problem["kind"].replace("_", " "))
    return _joined(_n_lost(result), [(n, f"{n} {kind}") for kind, n in Counter(kinds.values()).most_common()])


def _joined(n_lost: int, reasons: Sequence[tuple[int, str]]) -> str:
    """Join the reasons, each with its number of clips; what they leave open is said too."""
    said = [text for n, text in reasons if n]
    n_open = n_lost - sum(n for n, _ in reasons)
    return ", ".join([*said, *([f"{n_open} without a value"] if n_open > 0 else [])]) if n_lost > 0 else ""


def n_asked(result: Mapping[str, Any]) -> int:
    """Return the number of clips asked for, which ``--limit`` makes smaller than the data set."""
    return max((int(record["n_asked"]) for record in result["metrics"].values()), default=result["dataset"]["n_clips"])


def _n_lost(result: Mapping[str, Any]) -> int:
    asked = n_asked(result)
    return asked - int(result["dataset"].get("n_scored", asked))
