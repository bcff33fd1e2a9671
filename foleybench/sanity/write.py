"""Write a sanity run's tables, plots and page."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from foleybench.files import write_atomically
from foleybench.runtime.private_paths import text_without_places
from foleybench.sanity import verdict
from foleybench.sanity.degradations import DEGRADATIONS
from foleybench.sanity.plots import curves_png
from foleybench.sanity.run import SanityOutcome
from foleybench.sanity.verdict import CurveVerdict, judge_curve

_COLUMNS = ("metric", "degradation", "level", "unit", "value", "low", "high", "worse", "worse_low", "worse_high")


def write_sanity(outcome: SanityOutcome, out: Path, command: str) -> Path:
    """Write everything into a folder; return the page."""
    for name, curves in outcome.curves.items():
        write_atomically(out / plot_name(name), curves_png(outcome.metrics[name], curves))
    write_atomically(out / "curves.csv", _csv(outcome).encode())
    write_atomically(out / "verdicts.json", _json(outcome).encode())
    write_atomically(out / "sanity.md", verdict_markdown(outcome, command).encode())
    page = out / "index.html"
    write_atomically(page, _html(outcome, command).encode())
    return page


def plot_name(metric: str) -> str:
    """Return the name of a metric's plot; a colon, as in ``mine.py:METRIC``, would read as a protocol in a link."""
    return f"{metric.replace(':', '-')}.png"


def verdicts(outcome: SanityOutcome) -> dict[str, dict[str, CurveVerdict]]:
    """Return metric -> degradation -> verdict."""
    return {
        name: {key: judge_curve(points) for key, points in curves.items()} for name, curves in outcome.curves.items()
    }


def faults(outcome: SanityOutcome) -> list[str]:
    """Return a sentence for every metric that is not in order on a degradation that it is for."""
    found = []
    for name, judged in verdicts(outcome).items():
        for key in verdict.own(name):
            if key in judged and not (judged[key].kind == "seen" and judged[key].ordered):
                words = judged[key].words(DEGRADATIONS[key].unit)
                found.append(f"{name} is for {DEGRADATIONS[key].title.lower()} and is: {words}")
    return found


def verdict_markdown(outcome: SanityOutcome, command: str) -> str:
    """Return the table of verdicts, with the rule."""
    keys = list(next(iter(outcome.curves.values()), {}))
    lines = [f"# What the metrics see: {outcome.dataset}, {outcome.n_clips} clips", "", f"Made by `{command}`.", ""]
    lines += [*_rule(), ""]
    lines += ["| Metric | " + " | ".join(DEGRADATIONS[key].title for key in keys) + " |", "|---|" + "---|" * len(keys)]
    for name, judged in verdicts(outcome).items():
        cells = [_emphasised(name, key, judged[key]) for key in keys]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "Bold: what the metric is for. Steps, from mild to strong:", ""]
    for key in keys:
        degradation = DEGRADATIONS[key]
        levels = ", ".join(f"{level:g}" for level in degradation.levels)
        lines.append(f"- {degradation.title} ({degradation.of}): {levels} {degradation.unit}")
    wrong = faults(outcome)
    lines += ["", "Not in order on what they are for:" if wrong else "Every metric is in order on what it is for.", ""]
    lines += [f"- {line}" for line in wrong]
    lines += [f"- {name} was left out: {why}" for name, why in _left_out(outcome).items()]
    lines += [f"- {DEGRADATIONS[key].title} was left out: {why}" for key, why in outcome.no_steps.items()]
    return "\n".join(lines).rstrip() + "\n"


def _left_out(outcome: SanityOutcome) -> dict[str, str]:
    """Return why metrics were left out, without the folders of this machine: the pages are published."""
    return {name: text_without_places(why) for name, why in outcome.left_out.items()}


def _emphasised(name: str, key: str, judged: CurveVerdict) -> str:
    words = judged.words(DEGRADATIONS[key].unit)
    return f"**{words}**" if key in verdict.own(name) else words


def _rule() -> list[str]:
    return (verdict.__doc__ or "").strip().splitlines()[2:]


def _rows(outcome: SanityOutcome) -> Iterator[Sequence[Any]]:
    for name, curves in outcome.curves.items():
        for key, points in curves.items():
            for point in points:
                level = "true" if point.level is None else point.level
                numbers = ["" if v is None or math.isnan(v) else repr(float(v)) for v in point[1:]]
                yield [name, key, level, DEGRADATIONS[key].unit, *numbers]


def _csv(outcome: SanityOutcome) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_rows(outcome))
    return text.getvalue()


def _json(outcome: SanityOutcome) -> str:
    found = {name: {key: judged._asdict() for key, judged in each.items()} for name, each in verdicts(outcome).items()}
    whole = {"dataset": outcome.dataset, "n_clips": outcome.n_clips, "verdicts": found, "faults": faults(outcome)}
    return json.dumps(whole, sort_keys=True, indent=1, allow_nan=False) + "\n"


def _html(outcome: SanityOutcome, command: str) -> str:
    import jinja2

    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_PAGE)
    judged = verdicts(outcome)
    keys = list(next(iter(outcome.curves.values()), {}))
    return template.render(
        outcome=outcome,
        command=command,
        left_out=_left_out(outcome),
        rule=" ".join(_rule()).replace("*", ""),
        keys=keys,
        degradations=DEGRADATIONS,
        judged=judged,
        own={name: verdict.own(name) for name in judged},
        faults=faults(outcome),
        plot_name=plot_name,
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the metrics see: {{ outcome.dataset }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; color: #222; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 12.5px; }
th, td { border: 1px solid #ddd; padding: .25rem .5rem; text-align: left; vertical-align: top; }
.seen { background: #e3f3e6; } .blind { color: #777; } .rewarded { background: #fbe3e3; } .own { font-weight: 700; }
img { max-width: 100%; } code { background: #f3f3f3; padding: 0 .2rem; }
</style></head><body>
<h1>What the metrics see</h1>
<p>{{ outcome.dataset }}, {{ outcome.n_clips }} clips: the real audio, made worse step by step, scored against itself.
Made by <code>{{ command }}</code>.</p>
<p>{{ rule }}</p>
<div class="wide"><table><thead><tr><th>Metric</th>
{% for key in keys %}<th>{{ degradations[key].title }}</th>{% endfor %}</tr></thead><tbody>
{% for name, each in judged.items() %}<tr><th><a href="#{{ name }}">{{ name }}</a></th>
{% for key in keys %}<td class="{{ each[key].kind }}{{ ' own' if key in own[name] else '' }}">
{{ each[key].words(degradations[key].unit) }}</td>{% endfor %}</tr>{% endfor %}
</tbody></table></div>
<p>Bold: what the metric is for.
{% if faults %}Not in order on that:{% else %}Every metric is in order on that.{% endif %}</p>
<ul>{% for line in faults %}<li>{{ line }}</li>{% endfor %}
{% for name, why in left_out.items() %}<li>{{ name }} was left out: {{ why }}</li>{% endfor %}
{% for key, why in outcome.no_steps.items() %}<li>{{ degradations[key].title }} was left out: {{ why }}</li>{% endfor %}
</ul>
<p>In the plots the blue line and band are the real audio with its 95 % interval; green: seen, grey: blind,
red: rewarded.</p>
{% for name, metric in outcome.metrics.items() %}
<h2 id="{{ name }}">{{ metric.title }}</h2>
<img src="{{ plot_name(name) }}" alt="{{ metric.title }} at each step of each degradation">
{% endfor %}
</body></html>
"""
