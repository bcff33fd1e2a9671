"""Metric cards: what a metric measures, as its module says, and what it was seen to see, as the suite found."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from foleybench import registry
from foleybench.files import write_atomically
from foleybench.sanity import verdict
from foleybench.sanity.degradations import DEGRADATIONS
from foleybench.sanity.pictures import picture
from foleybench.sanity.run import Outcome
from foleybench.sanity.verdict import Verdict
from foleybench.sanity.write import picture_name, verdicts


def write(outcome: Outcome, folder: Path, command: str) -> list[Path]:
    """Write ``<metric>.md`` and ``<metric>.png`` for every metric that was looked at; return the cards."""
    cards = []
    for name, judged in verdicts(outcome).items():
        where = f"{outcome.dataset}, {outcome.n_clips} clips"
        write_atomically(folder / picture_name(name), picture(outcome.metrics[name], outcome.curves[name]))
        card = (folder / picture_name(name)).with_suffix(".md")
        write_atomically(card, _card(name, outcome, judged, where, command).encode())
        cards.append(card)
    return cards


def _card(name: str, outcome: Outcome, judged: Mapping[str, Verdict], where: str, command: str) -> str:
    metric = outcome.metrics[name]
    module = registry.module("metrics", outcome.names[name])
    head, _, body = inspect.cleandoc(module.__doc__ or "").partition("\n\n")
    needs = sorted({f"{need.encoder} ({need.layer})" for need in metric.needs.values()})
    ideal = "none" if metric.ideal is None else f"{metric.ideal:g}"
    lines = [f"# {metric.title}", "", f"`{name}`, version {metric.version}. {head}", "", body, ""]
    lines += ["| unit | better | ideal | needs |", "|---|---|---|---|"]
    lines += [f"| {metric.unit} | {metric.better} | {ideal} | {', '.join(needs)} |", ""]
    lines += [f"## What it sees ({where})", "", f"![{metric.title} at each step]({picture_name(name)})", ""]
    lines += ["| made worse by | verdict |", "|---|---|"]
    for key, found in judged.items():
        title = DEGRADATIONS[key].title + (" (what it is for)" if key in verdict.own(name) else "")
        lines.append(f"| {title} | {found.words(DEGRADATIONS[key].unit)} |")
    spots = {
        kind: [DEGRADATIONS[k].title for k, v in judged.items() if v.kind == kind] for kind in ("blind", "rewarded")
    }
    lines += ["", f"Blind to: {', '.join(spots['blind']) or 'none of these'}."]
    lines += [f"Rewards: {', '.join(spots['rewarded'])}."] if spots["rewarded"] else []
    lines += ["", f"Made by `{command}`; the rule of the verdicts is in `foleybench/sanity/verdict.py`.", ""]
    return "\n".join(lines)
