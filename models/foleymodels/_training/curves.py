"""Plot training curves."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foleybench.files import write_atomically


def draw_curves(records: Sequence[dict[str, Any]], path: Path, *, title: str) -> None:
    """Draw every logged loss over the steps, raw and smoothed, as a PNG.

    Args:
        records: Log lines, each with ``step`` and named losses.
        path: Path of the PNG.
        title: Above the curves.
    """
    from matplotlib.figure import Figure  # drawing is needed once a run; its import costs half a second

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    names = sorted({name for record in records for name in record} - {"step", "gradient_norm", "skipped"})
    for index, name in enumerate(names):
        points = [(record["step"], record[name]) for record in records if name in record]
        steps, values = zip(*points, strict=True)
        axes.plot(steps, values, color=f"C{index}", alpha=0.25, linewidth=1)
        axes.plot(steps, _smooth(values), color=f"C{index}", linewidth=1.8, label=name)
    axes.set(xlabel="step", ylabel="loss", title=title)
    axes.grid(alpha=0.3)
    if names:
        axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def _smooth(values: Sequence[float], weight: float = 0.9) -> list[float]:
    smoothed: list[float] = []
    for value in values:
        smoothed.append(value if not smoothed else weight * smoothed[-1] + (1 - weight) * value)
    return smoothed
