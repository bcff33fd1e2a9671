"""Write metric cards: what a metric measures and reacts to.

A card has two parts. The head comes from the metric's own file and is written again at any time (``rewrite_heads``);
the rest holds the measurements of ``foleybench sanity``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.errors import FoleyError
from foleybench.files import write_atomically
from foleybench.sanity import verdict
from foleybench.sanity.degradations import DEGRADATIONS
from foleybench.sanity.plots import curves_png
from foleybench.sanity.run import CurvePoint, SanityOutcome
from foleybench.sanity.verdict import CurveVerdict
from foleybench.sanity.write import plot_name, verdicts
from foleybench.scoring.cards import metric_facts, metric_words

# The first heading of the measured part.
_MEASURED = "## What it sees"
# Share of a metric's range below which a loss that is told apart is called small.
_TINY = 0.01


def write_cards(outcome: SanityOutcome, folder: Path, command: str) -> list[Path]:
    """Write ``<metric>.md`` and ``<metric>.png`` for every metric that was scored; return the cards."""
    cards = []
    for name, judged in verdicts(outcome).items():
        metric = outcome.metrics[name]
        where = f"{outcome.dataset}, {outcome.n_clips} clips"
        write_atomically(folder / plot_name(name), curves_png(metric, outcome.curves[name]))
        card = (folder / plot_name(name)).with_suffix(".md")
        tiny = _tiny(metric, judged, outcome.curves[name])
        text = head(name, outcome.names[name]) + _measured(name, metric, judged, tiny, where, command)
        write_atomically(card, text.encode())
        cards.append(card)
    return cards


def head(name: str, spec: str = "") -> str:
    """Return the head of a metric's card, which describes the metric, up to the measured part.

    Args:
        name: Name of the metric.
        spec: How to load the metric (``registry.load``), where the name alone does not.
    """
    spec = spec or name
    metric: Metric = registry.load("metrics", spec)
    rows = [f"| {key} | {value.replace('|', chr(92) + '|')} |" for key, value in metric_facts(spec).items()]
    return "\n".join(
        [f"# {metric.title}", "", f"`{name}`. {metric_words(spec)}", "", "| | |", "|---|---|", *rows, "", ""]
    )


def rewrite_heads(folder: Path) -> list[Path]:
    """Write the heads of a folder's cards ``<metric>.md`` again and keep the measurements; return the cards.

    Raises:
        FoleyError: The folder holds no card of a metric, or a file of such a name that is not a card.
    """
    names = set(registry.names("metrics"))
    cards = sorted(path for path in folder.glob("*.md") if path.stem in names)
    if not cards:
        raise FoleyError(f"{folder} holds no card of a metric; `foleybench sanity --cards {folder}` writes them.")
    for card in cards:
        _, heading, measured = card.read_text().partition(_MEASURED)
        if not heading:
            raise FoleyError(f"{card} has no line {_MEASURED!r}; `foleybench sanity --cards {folder}` writes it again.")
        write_atomically(card, (head(card.stem) + heading + measured).encode())
    return cards


def write_missing(folder: Path) -> list[Path]:
    """Write a card without measurements for every metric that has none, and ``index.md``; return what was written.

    Such a card names the command that measures the metric on a machine that has its weights.
    """
    written = []
    for name in registry.names("metrics"):
        card = folder / f"{name}.md"
        if not card.exists():
            write_atomically(card, (head(name) + _not_measured(name)).encode())
            written.append(card)
    contents = folder / "index.md"
    write_atomically(contents, index(folder).encode())
    return [*written, contents]


def _not_measured(name: str) -> str:
    command = f"foleybench sanity --data shards/mine --metric {name} --cards docs/metric_cards"
    return f"{_MEASURED}\n\nNot measured yet. On a machine that has what the metric needs: `{command}`.\n"


def index(folder: Path) -> str:
    """Return the contents of a folder of cards as a table, a metric a line."""
    rows = []
    for name in registry.names("metrics"):
        metric: Metric = registry.load("metrics", name)
        users = [p for p in registry.names("protocols") if name in registry.load("protocols", p).metrics]
        measured = (folder / plot_name(name)).exists()
        better = {"higher": "↑", "lower": "↓"}[metric.better]
        facts = [f"[{metric.title}]({name}.md)", f"`{name}`", better, metric.unit, ", ".join(users) or "by name only"]
        rows.append(f"| {' | '.join(facts)} | {'yes' if measured else ''} |")
    return "\n".join(
        [
            "# Metrics",
            "",
            "A card says what a metric computes, when the metric is undefined and, where measured, what it notices and "
            "where it is blind.",
            "",
            "| metric | name | better | unit | protocols | blind spots measured |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            "Written by `foleybench sanity --card-texts docs/metric_cards --every-metric`.",
            "",
        ]
    )


def _tiny(metric: Metric, judged: Mapping[str, CurveVerdict], curves: Mapping[str, Sequence[CurvePoint]]) -> list[str]:
    """Return the degradations that are seen, yet cost less than a hundredth of the range even at the strongest step.

    Clips are compared in pairs, so the rounding of a file is seen where every clip shares it.
    """
    if metric.ideal is None or metric.worst is None:
        return []
    least = _TINY * abs(metric.worst - metric.ideal)
    return [key for key, found in judged.items() if found.kind == "seen" and curves[key][-1].worse < least]


def _measured(
    name: str, metric: Metric, judged: Mapping[str, CurveVerdict], tiny: Sequence[str], where: str, command: str
) -> str:
    lines = [f"{_MEASURED} ({where})", "", f"![{metric.title} at each step]({plot_name(name)})", ""]
    lines += ["| made worse by | verdict |", "|---|---|"]
    for key, found in judged.items():
        title = DEGRADATIONS[key].title + (" (what it is for)" if key in verdict.own(name) else "")
        lines.append(f"| {title} | {found.words(DEGRADATIONS[key].unit)} |")
    spots = {
        kind: [DEGRADATIONS[k].title for k, v in judged.items() if v.kind == kind] for kind in ("blind", "rewarded")
    }
    lines += ["", f"Blind to: {', '.join(spots['blind']) or 'none of these'}."]
    lines += [f"Rewards: {', '.join(spots['rewarded'])}."] if spots["rewarded"] else []
    if tiny:
        titles = ", ".join(DEGRADATIONS[key].title for key in tiny)
        lines += ["", f"Seen, but at the strongest step by less than 1 % of the range: {titles}."]
    lines += ["", f"Made by `{command}`; the rule of the verdicts is in `foleybench/sanity/verdict.py`.", ""]
    return "\n".join(lines)
