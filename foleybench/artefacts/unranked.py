"""Say why a result takes no part in the ranking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foleybench.artefacts import draft
from foleybench.artefacts.audio_folder import MOSTLY
from foleybench.artefacts.entries import RANKED_KINDS

TOO_SHORT = "too_short"


def why_unranked(result: Mapping[str, Any]) -> str:
    """Return why a result is shown and not ranked, "" for one that is ranked.

    Example:
        >>> data = {"n_clips": 5, "n_scored": 4}
        >>> why_unranked({"model": {"kind": "model"}, "status": "partial", "problems": [], "dataset": data})
        'partial: 4 of 5 clips scored'
    """
    kind, status = result["model"]["kind"], result["status"]
    if kind not in RANKED_KINDS:
        return f"{kind} rows are shown for comparison"
    if draft.is_draft(result):
        return draft.WHY
    n_short = n_too_short(result)
    if n_short:
        share = f"less than {100 * MOSTLY:.0f} % of what is scored of their clip"
        return f"{n_short} of {result['dataset']['n_clips']} audio files last {share}"
    if status != "complete":
        scored, asked = result["dataset"].get("n_scored", "?"), result["dataset"]["n_clips"]
        return f"{status}: {scored} of {asked} clips scored"
    return ""


def n_too_short(result: Mapping[str, Any]) -> int:
    """Return how many clips have audio that does not cover what is scored of them."""
    return sum(problem["kind"] == TOO_SHORT for problem in result["problems"])
