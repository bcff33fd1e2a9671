"""The values against real sound limited to a system's band.

A system that makes sound up to 8 kHz is far from real sound by its band alone. Its band is measured from all of its
sounds together, and the real sound is cut there before it is scored a second time.

How: ``media.band``. Why not by where 99 % of the generated power ends: that is at 2 to 9 kHz in real
sounds of full band, so most systems would be excused for what they do make. Why not by an absolute floor: published
sounds are often resampled and coded again, which leaves noise 60 to 70 dB below the loudest up to 16 kHz.

Sound generated at a lower rate than the real one's is compared with the real one at that rate (``at_lower_rate``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foleybench.api.metric import Metric
from foleybench.api.protocol import Protocol
from foleybench.artefacts.clip_table import ClipTable
from foleybench.clips import FloatArray
from foleybench.media.band import BandLimit, at_lower_rate, band_limit, spectrum_shares
from foleybench.scoring.records import pooled
from foleybench.scoring.scorer import ClipToScore, load_clip
from foleybench.shards.dataset import ShardDataset

_KEPT = ("value", "low", "high", "corrected")


def measure(data: ShardDataset, wanted: Sequence[ClipToScore], protocol: Protocol) -> tuple[BandLimit | None, int]:
    """Return the band of the generated sounds, and from how many of them that is known.

    Args:
        data: Holds the real sound.
        wanted: The clips with their generated sound; those that cannot be read, and silent ones, say nothing.
        protocol: How sound is read and cut.

    Returns:
        How to cut real sound to it, or None when they have the band of the real sounds; the number of sounds.
    """
    generated, real, at_rate = [], [], []
    for clip in wanted:
        item, _ = load_clip(data, clip, protocol, {})
        if item is None:
            continue
        shares = {of: spectrum_shares(*sound) for of, sound in item.material.sounds.items()}
        if shares["generated"].any() and shares["reference"].any():
            generated.append(shares["generated"])
            real.append(shares["reference"])
            sound, rate_hz = item.material.sounds["reference"]
            lowered, lower_hz = at_lower_rate(sound, rate_hz, item.material.sounds["generated"][1])
            at_rate.append(real[-1] if lower_hz == rate_hz else spectrum_shares(lowered, lower_hz))
    if not generated:
        return None, 0
    return band_limit(_mean(generated), _mean(real), _mean(at_rate)), len(generated)


def _mean(shares: Sequence[FloatArray]) -> FloatArray:
    return np.asarray(np.mean(shares, axis=0), dtype=np.float64)


def with_matched(
    records: Mapping[str, dict[str, Any]],
    metrics: Mapping[str, Metric],
    rows: ClipTable,
    *,
    limited: bool,
    seed: int,
    resamples: int,
) -> dict[str, dict[str, Any]]:
    """Return records with the values of matched bandwidth, of the metrics that hear the real sound.

    Where nothing was limited these are the plain values.
    """
    made = dict(records)
    for name, metric in metrics.items():
        if any(need.of == "reference" for need in metric.needs.values()):
            found = records[name]
            if limited:
                found = pooled(name, metric, rows, seed=seed, resamples=resamples, part="matched")
            made[name] = {**records[name], "matched": {key: found[key] for key in _KEPT}}
    return made
