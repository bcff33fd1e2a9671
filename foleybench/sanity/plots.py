"""Plot each metric's value at each degradation step."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

from foleybench.api.metric import Metric
from foleybench.sanity.degradations import DEGRADATIONS
from foleybench.sanity.run import CurvePoint
from foleybench.sanity.verdict import judge_curve

_COLOURS = {"seen": "#1b7837", "blind": "#7f7f7f", "rewarded": "#b2182b", "undefined": "#c0c0c0"}
_ACROSS = 5


def curves_png(metric: Metric, curves: Mapping[str, Sequence[CurvePoint]]) -> bytes:
    """Return a PNG: one panel a degradation, all with the same scale.

    Args:
        metric: The metric.
        curves: Degradation -> the real audio, then the steps.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    down = -(-len(curves) // _ACROSS)
    figure = Figure(figsize=(2.5 * _ACROSS, 2.3 * down + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    arrow = "higher is better" if metric.better == "higher" else "lower is better"
    figure.suptitle(f"{metric.title} ({metric.unit}), {arrow}", fontsize=11)
    axes = figure.subplots(down, _ACROSS, sharey=True, squeeze=False).ravel()
    for axis, (key, points) in zip(axes, curves.items(), strict=False):
        _panel(axis, key, points)
    for axis in axes[len(curves) :]:
        axis.set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, metadata={"Software": None})
    return buffer.getvalue()


def _panel(axis: object, key: str, points: Sequence[CurvePoint]) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axis, Axes)
    degradation = DEGRADATIONS[key]
    colour = _COLOURS[judge_curve(points).kind]
    truth = points[0]
    if truth.low is not None and truth.high is not None:
        axis.axhspan(truth.low, truth.high, color="#d9e8f5", lw=0)
    axis.axhline(truth.value, color="#4a7fb0", lw=1)
    known = [(i, p) for i, p in enumerate(points) if math.isfinite(p.value)]
    axis.plot([i for i, _ in known], [p.value for _, p in known], color=colour, marker="o", ms=3.5, lw=1.3)
    for i, point in known:
        if point.low is not None and point.high is not None:
            axis.plot([i, i], [point.low, point.high], color=colour, lw=1.2)
    axis.set_xticks(range(len(points)), ["true", *(f"{level:g}" for level in degradation.levels)], fontsize=7)
    axis.tick_params(axis="y", labelsize=7)
    axis.set_title(f"{degradation.title}, {degradation.unit}", fontsize=8)
