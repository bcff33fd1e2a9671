"""Cards of metrics and protocols: all that a reader of a number must know, from the very files that make it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from types import ModuleType

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.api.protocol import Protocol
from foleybench.scoring.evaluate import cannot_run

_WIDTH = 100


def metric_card(name: str) -> str:
    """Return a metric's card: its file's own words, the features it needs, where it is used, whether it runs here.

    Raises:
        UnknownNameError: There is no such metric.
    """
    metric: Metric = registry.load("metrics", name)
    users = [p for p in registry.names("protocols") if name in registry.load("protocols", p).metrics]
    needs = [f"{need.encoder}.{need.layer} of {need.of}" for need in metric.needs.values()]
    facts = {
        "Name": f"{name}, version {metric.version}",
        "Unit": f"{metric.unit}, {metric.better} is better",
        "Ideal": "none" if metric.ideal is None else f"{metric.ideal:g}",
        "Bias": "a value corrected for the number of clips stands beside it" if metric.corrected else "none stated",
        "Per clip": "yes: worst clips can be listed" if metric.clip_value else "no: a value of whole sets only",
        "Needs": "; ".join(needs) or "nothing of the sound",
        "Clips": f"at least {metric.minimum_clips}",
        "Source": metric.source,
        "Protocols": ", ".join(users) or "none",
        "Here": cannot_run(name) or "can be computed on this machine",
    }
    return f"{_words_of(registry.module('metrics', name))}\n\n{_table(facts)}"


def protocol_card(name: str) -> str:
    """Return a protocol's card: what it is for, its metrics, and what happens to the sound.

    Raises:
        UnknownNameError: There is no such protocol.
    """
    protocol: Protocol = registry.load("protocols", name)
    frontend = protocol.frontend
    lines = [f"  {metric:24} {registry.load('metrics', metric).title}" for metric in protocol.metrics]
    facts = {
        "Name": f"{name}, version {protocol.version}",
        "Cut": "whole clips" if protocol.crop_s is None else f"the first {protocol.crop_s:g} s",
        "Channels": "mean of all" if frontend.channels == "mean" else "the first alone",
        "Sound": f"{frontend.name} (resampler {frontend.resampler})",
        "Stands for": "; ".join(f"{axis}: {metric}" for axis, metric in protocol.headline.items()),
    }
    words = textwrap.fill(f"{protocol.title}: {protocol.description}", _WIDTH)
    return f"{words}\n\n{_table(facts)}Metrics:\n" + "\n".join(lines) + "\n"


def _words_of(module: ModuleType) -> str:
    return (module.__doc__ or "").strip()


def _table(facts: dict[str, str]) -> str:
    rows = []
    for key, value in facts.items():
        rows.append(textwrap.fill(value, _WIDTH, initial_indent=f"{key + ':':12}", subsequent_indent=" " * 12))
    return "\n".join(rows) + "\n"


KINDS: dict[str, Callable[[str], str]] = {"metrics": metric_card, "protocols": protocol_card}
