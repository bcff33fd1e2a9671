"""Show what people say as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from foleybench.pages.number_text import ARROWS, p_text


def people_text(found: Mapping[str, Any]) -> str:
    """Return everything that a file of ``artefacts.people`` holds, for a person."""
    lines = [*_head(found), "", *_systems(found), "", *_pairs(found)]
    if found["metrics"]:
        lines += ["", *_metrics(found)]
    return "\n".join(lines) + "\n"


def _head(found: Mapping[str, Any]) -> Iterator[str]:
    n = found["n"]
    yield f"{n['votes']} votes ({n['ties']} ties) of {n['raters']} raters about {n['clips']} clips"
    if found["question"]:
        yield f"  asked: {found['question']}"
    yield f"  screening: {found['screening']['rule']}"
    for one in found["screening"]["excluded"]:
        yield f"  left out: rater {one['rater']}, {one['right']} of {one['checks']} checks right, {one['votes']} votes"
    raters = found["raters"]
    if raters["same"] is not None:
        alpha = "" if raters["alpha"] is None else f", Krippendorff's alpha {raters['alpha']:.2f}"
        yield f"  raters who judged the same pair agree in {percent(raters['same'])}{alpha} ({raters['n_units']} pairs)"
    if found["left"]["value"] is not None:
        yield f"  the left sound was preferred in {_rate(found['left'])} (50 % when places do not count)"


def _systems(found: Mapping[str, Any]) -> list[str]:
    rows = [["system", "preferred to the others", "95 % interval", "Bradley-Terry score", "95 % interval", "votes"]]
    for name, system in sorted(found["systems"].items(), key=lambda item: -item[1]["score"]["value"]):
        score = system["score"]
        rows.append(
            [
                name,
                percent(system["preferred"]["value"]),
                _ends(system["preferred"], percent),
                f"{score['value']:+.2f}",
                _ends(score, "{:+.2f}".format),
                str(system["n_votes"]),
            ]
        )
    return aligned(rows, left={0})


def _pairs(found: Mapping[str, Any]) -> list[str]:
    rows = [["first", "second", "first preferred", "95 % interval", "votes", "ties", "p (Holm)"]]
    for pair in found["pairs"]:
        p_holm = "-" if pair["p_holm"] is None else p_text(pair["p_holm"])
        rate = "-" if pair["rate"]["value"] is None else percent(pair["rate"]["value"])
        counts = [str(pair["n"]), str(pair["ties"])]
        rows.append([pair["first"], pair["second"], rate, _ends(pair["rate"], percent), *counts, p_holm])
    return [*aligned(rows, left={0, 1}), "  p (Holm): corrected over all pairs of the test"]


def _metrics(found: Mapping[str, Any]) -> Iterator[str]:
    yield "agreement of metrics with people (1: the same order of systems; 50 %: a clip by clip choice by coin)"
    rows = [["metric", "", "Spearman", "95 % interval", "Kendall", "systems", "same choice", "95 % interval", "votes"]]
    for record in found["metrics"]:
        spearman, agrees = record["spearman"], record["agrees"]
        rows.append(
            [
                f"{record['metric']} ({_where(record)})",
                ARROWS[record["better"]],
                "-" if spearman["value"] is None else f"{spearman['value']:.2f}",
                _ends(spearman, "{:.2f}".format),
                "-" if record["kendall"] is None else f"{record['kendall']:.2f}",
                str(record["n_systems"]),
                "-" if agrees["value"] is None else percent(agrees["value"]),
                _ends(agrees, percent),
                str(record["n_votes"]),
            ]
        )
    yield from aligned(rows, left={0, 1})
    reasons: dict[str, list[str]] = {}
    for record in found["metrics"]:
        if record["reason"]:
            reasons.setdefault(record["reason"], []).append(record["metric"])
    for reason, names in reasons.items():
        about = "every metric" if len(names) == len(found["metrics"]) > 1 else ", ".join(dict.fromkeys(names))
        yield f"  Spearman and Kendall of {about}: {reason}"


def _where(record: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (record["protocol"], record["subset"])))


def percent(share: float) -> str:
    """Return a share as whole percent, or ``-`` for none.

    Example:
        >>> percent(0.614)
        '61 %'
    """
    return f"{100 * share:.0f} %"


def _rate(record: Mapping[str, Any]) -> str:
    ends = _ends(record, percent)
    return f"{percent(record['value'])}{'' if ends == '-' else f' [{ends}]'}"


def _ends(record: Mapping[str, Any], show: Any) -> str:
    return "-" if record["low"] is None else f"{show(record['low'])} to {show(record['high'])}"


def aligned(rows: Sequence[Sequence[str]], left: set[int]) -> list[str]:
    """Return rows of text as lines of columns; those in ``left`` start at the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines
