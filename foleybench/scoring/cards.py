"""Write the cards of metrics and protocols."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.api.protocol import Frontend, Protocol
from foleybench.scoring.weights_here import cannot_run

_WIDTH = 100
# Width of the docstrings.
_TEXT_WIDTH = 120


def metric_card(name: str) -> str:
    """Return a metric's card: description, facts, protocols, and whether it runs here.

    Raises:
        UnknownNameError: There is no such metric.
    """
    users = [p for p in registry.names("protocols") if name in registry.load("protocols", p).metrics]
    here = {"Protocols": ", ".join(users) or "none", "Here": cannot_run(name) or "can be computed on this machine"}
    return f"{metric_words(name)}\n\n{_table({'Name': name} | metric_facts(name) | here)}"


def metric_words(name: str) -> str:
    """Return the description in a metric's file, and the note of its family."""
    metric: Metric = registry.load("metrics", name)
    note = textwrap.fill(metric.note, _TEXT_WIDTH)
    return "\n\n".join(part for part in (inspect.getdoc(registry.module("metrics", name)) or "", note) if part)


def metric_facts(name: str) -> dict[str, str]:
    """Return the table of a metric's card, by row name, from the metric alone."""
    metric: Metric = registry.load("metrics", name)
    needs = [f"{need.encoder}.{need.layer} of {need.of}" for need in metric.needs.values()]
    few = f"fewer than {metric.minimum_clips} clips, or " if metric.minimum_clips > 1 else ""
    ranks = {"Ranks": f"none: {metric.unranked}"} if metric.unranked else {}
    return {
        "Version": f"{metric.version}",
        "Direction": f"{metric.better} is better",
        **ranks,
        "Unit": metric.unit,
        "Range": _range(metric),
        "Undefined": few + metric.undefined,
        "Corrected": "a value corrected for the number of clips stands beside it" if metric.corrected else "no",
        "Per clip": "yes: worst clips can be listed" if metric.clip_value else "no: a value of whole sets only",
        "Needs": "; ".join(needs) or "no features",
        "Source": metric.source,
    }


def _range(metric: Metric) -> str:
    """Return the ends of the scale in words.

    Example:
        >>> _range(registry.load("metrics", "fad_mini")), _range(registry.load("metrics", "clap_score"))
        ('0 upwards, ideal 0', '-1 to 1, no ideal value')
    """
    low, high = (None if end is None else f"{end:.4g}" for end in metric.range)
    if low is None:
        ends = "no fixed ends" if high is None else f"up to {high}"
    else:
        ends = f"{low} upwards" if high is None else f"{low} to {high}"
    return f"{ends}, " + ("no ideal value" if metric.ideal is None else f"ideal {metric.ideal:g}")


def protocol_card(name: str) -> str:
    """Return a protocol's card: purpose, metrics, and steps before the encoders.

    Raises:
        UnknownNameError: There is no such protocol.
    """
    protocol: Protocol = registry.load("protocols", name)
    frontend = protocol.frontend
    lines = [f"  {metric:24} {registry.load('metrics', metric).title}" for metric in protocol.metrics]
    facts = {
        "Name": f"{name}, version {protocol.version}",
        "Cut": "whole clips"
        if protocol.crop_s is None
        else f"the first {protocol.crop_s:g} s{', after resampling' if protocol.cut_resampled else ''}",
        "Channels": "mean of all" if frontend.channels == "mean" else "the first alone",
        "Sound": "; ".join([_steps(frontend), *(f"for {name} {_steps(own)}" for name, own in frontend.own.items())]),
        "Stands for": "; ".join(f"{axis}: {metric}" for axis, metric in protocol.headline.items()),
    }
    words = textwrap.fill(f"{protocol.title}: {protocol.description}", _WIDTH)
    return f"{words}\n\n{_table(facts)}Metrics:\n" + "\n".join(lines) + "\n"


def _steps(frontend: Frontend) -> str:
    steps = ["mean removed"] if frontend.remove_mean else []
    steps += [f"resampler {frontend.resampler}", *(["rounded to 16 bits"] if frontend.int16 else [])]
    return ", ".join(steps)


def _table(facts: dict[str, str]) -> str:
    rows = []
    for key, value in facts.items():
        rows.append(textwrap.fill(value, _WIDTH, initial_indent=f"{key + ':':12}", subsequent_indent=" " * 12))
    return "\n".join(rows) + "\n"


KINDS: dict[str, Callable[[str], str]] = {"metrics": metric_card, "protocols": protocol_card}


def _cut_words(protocol: Protocol) -> str:
    if protocol.crop_s is None:
        return "whole clips"
    return f"the first {protocol.crop_s:g} s{', after resampling' if protocol.cut_resampled else ''}"
