"""Make metrics of distance between all generated and all reference embeddings."""

from __future__ import annotations

import functools

import numpy as np

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import both, read_feature
from foleybench.metrics._math.distances import FrechetPool, corrected_frechet
from foleybench.metrics._math.kernel import KernelPool, Side

_FRECHET = (
    "The distance is biased upwards with few clips: the corrected value (Chong and Forsyth, CVPR 2020) stands beside "
    "it. Compare systems on the same clips only. Clips too short for an embedding do not apply."
)
_KERNEL = (
    "100 times the unbiased squared maximum mean discrepancy with a Gaussian kernel. It is unbiased for independent "
    "sets: samples of one distribution give values on both sides of 0, and the ground truth against itself a little "
    "less than 0. The corrected value leaves out the pairs of one clip's own generated and reference audio, which are "
    "not independent: the ground truth against itself then gives 0. Of more than 20000 embeddings, 20000 taken evenly "
    "decide the bandwidth."
)


def frechet_metric(
    *,
    encoder: str,
    layer: str,
    title: str,
    source: str,
    minimum_clips: int = 16,
    few_rows: int = 0,
    version: int = 1,
    decimals: int | None = None,
) -> Metric:
    """Return the metric that is the Fréchet distance between an encoder's embeddings.

    Args:
        encoder: Encoder of the embeddings.
        layer: Output of the encoder.
        title: Column heading.
        source: Paper or ``repo@commit`` that defines the metric.
        minimum_clips: Fewer clips than this give no value.
        few_rows: Fewer embeddings than this are marked in tables; 0 for none.
        version: Version of the metric.
        decimals: Decimal places that embeddings are kept with, which makes clip tables small; None for all.
    """
    return Metric(
        title=title,
        version=version,
        unit="1",
        better="lower",
        ideal=0.0,
        source=source,
        needs=both(encoder, layer),
        per_clip=_rows if decimals is None else functools.partial(_rounded_rows, decimals=decimals),
        pool=FrechetPool(),
        corrected=corrected_frechet,
        undefined="no clip has an embedding",
        note=_FRECHET,
        minimum_clips=minimum_clips,
        few_rows=few_rows,
        takes=("generated",),
    )


def kernel_metric(
    *,
    encoder: str,
    layer: str = "embedding",
    title: str,
    source: str,
    bandwidth_of: Side = "reference",
    minimum_clips: int = 16,
) -> Metric:
    """Return the metric that is the kernel distance between an encoder's embeddings.

    Args:
        encoder: Encoder of the embeddings.
        layer: Output of the encoder.
        title: Column heading.
        source: Paper or ``repo@commit`` that defines the metric.
        bandwidth_of: The set whose median distance between two embeddings is the kernel's bandwidth.
        minimum_clips: Fewer clips than this give no value.
    """
    pool = KernelPool(bandwidth_of)
    return Metric(
        title=title,
        version=1,
        unit="1",
        better="lower",
        ideal=None,
        source=source,
        needs=both(encoder, layer),
        per_clip=_rows,
        pool=pool,
        corrected=pool.corrected,
        undefined="no clip has an embedding, or all embeddings are equal",
        note=_KERNEL,
        minimum_clips=minimum_clips,
        takes=("generated",),
    )


def _rows(clip: ClipView) -> Stat | None:
    """Return a clip's embeddings as rows, shapes (n, d) and (m, d), or None when the audio is too short to have any."""
    rows = {name: np.atleast_2d(read_feature(clip, name)) for name in ("reference", "generated")}
    return rows if len(rows["reference"]) and len(rows["generated"]) else None


def _rounded_rows(clip: ClipView, *, decimals: int) -> Stat | None:
    rows = _rows(clip)
    return rows and {name: np.asarray(values, dtype=np.float64).round(decimals) for name, values in rows.items()}
