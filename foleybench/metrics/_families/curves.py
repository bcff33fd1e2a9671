"""Correlation of a generated curve over time with the real one."""

from __future__ import annotations

from collections.abc import Callable

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import both, read_pair, scalar
from foleybench.metrics._math.correlation import of_curves
from foleybench.stats.pools import Ratio

POOL = Ratio("correlation")
Curves = tuple[FloatArray, FloatArray]


def curve_correlation(
    title: str,
    encoder: str,
    layer: str,
    *,
    constant: float,
    undefined: str,
    version: int = 1,
    note: str = "",
    keep: Callable[[FloatArray, FloatArray], Curves] | None = None,
) -> Metric:
    """Return the mean over clips of Pearson's correlation of one curve of reference and generated audio.

    Args:
        title: Column heading.
        encoder: Registry name of the encoder.
        layer: Its curve, shape (T,).
        constant: Standard deviation of a curve that does not move.
        undefined: When no clip applies, for a person.
        version: The metric's version.
        note: What holds for the family of the layer.
        keep: Returns what is compared of both curves, possibly nothing; None: all of them.
    """

    def per_clip(clip: ClipView) -> Stat | None:
        reference, generated = read_pair(clip, "reference", "generated")
        compared = keep(reference, generated) if keep else (reference, generated)
        found = of_curves(*compared, constant=constant)
        return None if found is None else {"correlation": scalar(found)}

    return Metric(
        title=title,
        version=version,
        unit="1",
        better="higher",
        ideal=1.0,
        worst=-1.0,
        source="foleybench",
        needs=both(encoder, layer),
        per_clip=per_clip,
        pool=POOL,
        undefined=undefined,
        note=note,
        clip_value=POOL.of_clip,
    )
