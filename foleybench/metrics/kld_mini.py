"""KLD (mini): does a classifier hear the same thing as in the real sound.

KL(reference || generated) between the posteriors of our small SynthFoley classifier, averaged over clips; log-softmax
on both sides, nothing added. It never shares a column with ``kld_passt``.

Direction: lower is better. Range 0 upwards. Unit: nat.
Undefined: no clip was scored.
Sources: form of av-benchmark@050a5cd metrics/kl.py (softmax), on our own classifier.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics import ClipView, Metric, Need, Stat
from foleybench.metrics._divergence import kl_divergence
from foleybench.metrics._features import read_pair, scalar
from foleybench.metrics._pools import Ratio

POOL = Ratio("kl")


def _per_clip(clip: ClipView) -> Stat | None:
    return {"kl": scalar(kl_divergence(*read_pair(clip, "reference", "generated")))}


METRIC = Metric(
    title="KLD (mini)",
    version=1,
    unit="nat",
    better="lower",
    ideal=0.0,
    source="av-benchmark@050a5cd metrics/kl.py, on mini_class",
    needs={
        "reference": Need(encoder="mini_class", layer="logits", of="reference"),
        "generated": Need(encoder="mini_class", layer="logits", of="generated"),
    },
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip was scored",
    clip_value=POOL.of_clip,
)
