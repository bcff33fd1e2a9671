"""Check that the weights of metrics are on this machine.

All missing ones are named at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.api.weights import how_to_get, or_packaged, require
from foleybench.errors import FoleyError, WeightsMissingError
from foleybench.features.featurise import encoders_of, needs_of
from foleybench.scoring.weights_catalogue import size_text


def cannot_run(metric: str) -> str:
    """Return why a metric (a name or ``path/to/file.py:NAME``) cannot be computed on this machine, "" when it can."""
    try:
        require_weights({metric: registry.load("metrics", metric)})
    except FoleyError as error:
        return str(error)
    return ""


def require_weights(metrics: Mapping[str, Metric]) -> None:
    """Check the weights files of the encoders that metrics need.

    Args:
        metrics: Names as ``--metric`` takes them.

    Raises:
        WeightsMissingError: Some are absent: the message names all, the command that gets them, and the metrics that
            need none of them.
        FoleyError: A file is not the known one.
    """
    wrong: dict[str, FoleyError] = {}
    for name, encoder in encoders_of(needs_of(metrics)).items():
        try:
            _ = require(name, encoder.weights) if encoder.weights else None
        except FoleyError as error:
            wrong[name] = error
    if not wrong:
        return
    if len(metrics) == 1 and len(wrong) == 1:
        raise next(iter(wrong.values()))
    raise WeightsMissingError(" ".join([*_told(wrong), *_without(metrics, set(wrong))]))


def _told(wrong: Mapping[str, FoleyError]) -> list[str]:
    """Return sentences: the absent files, the command that gets them, and faults of others."""
    absent: dict[str, list[str]] = {}  # encoders by the name of their file
    commands: dict[str, None] = {}
    fetched: list[str] = []
    advice: dict[str, None] = {}
    others = []
    for name, error in wrong.items():
        weights = registry.load("encoders", name).weights
        if not isinstance(error, WeightsMissingError):
            others.append(str(error))
            continue
        shown = f"{weights.filename} ({size_text(weights)})"
        if weights.made_by:
            commands[how_to_get(weights)] = None
        elif shown not in absent:
            fetched.append(name)
        absent.setdefault(shown, []).append(name)
        advice[or_packaged(weights)] = None
    if fetched:
        commands = {f"foleybench weights fetch {' '.join(fetched)}": None, **commands}
    sentences = []
    if absent:
        files = "; ".join(f"{file} for {', '.join(names)}" for file, names in absent.items())
        get = " and ".join(f"`{command}`" for command in commands)
        sentences = [f"weights that are not here: {files}. Get them with {get}.{''.join(advice)}"]
    return sentences + others


def _without(metrics: Mapping[str, Metric], wrong: set[str]) -> list[str]:
    """Return a sentence on the metrics that need none of these encoders, if there are any."""
    able = [name for name, metric in metrics.items() if not wrong & set(encoders_of(needs_of({name: metric})))]
    options = " ".join(f"--metric {name}" for name in able)
    return [f"Metrics that need none of these weights: {options}."] if able else []
