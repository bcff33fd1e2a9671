"""KLD (aiSFX): divergence of the posteriors of its class heads.

KL(reference || generated) in nats of the posteriors averaged over blocks, the mean of the three heads that follow the
Universal Category System. Second to ``similarity_aisfx``: on two halves of one clip a head agrees with itself in about
half of the clips or fewer, so the value is no class accuracy. Loudness does not matter; a low-pass alone costs much.
"""

from __future__ import annotations

import numpy as np

from foleybench.clips import FloatArray
from foleybench.encoders._nets.aisfx_heads import N_UCS, PLACES
from foleybench.metrics._families.differences import difference_metric
from foleybench.metrics._math.divergence import kl_divergence_of_means


def _divergence(reference: FloatArray, generated: FloatArray) -> float:
    heads = PLACES[:N_UCS]
    return float(np.mean([kl_divergence_of_means(reference[:, head], generated[:, head]) for head in heads]))


METRIC = difference_metric(
    _divergence,
    encoder="aisfx",
    layer="logits",
    title="KLD (aiSFX)",
    unit="nat",
    source="foleybench; class heads of Ma and Lerch, ISMIR 2022",
    statistic="kl",
)
