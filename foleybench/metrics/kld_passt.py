"""KLD (PaSST): does an AudioSet classifier hear the same thing as in the real sound.

KL(reference || generated) between the softmax posteriors of PaSST over the 527 classes of AudioSet, averaged over
clips; log-softmax on both sides, nothing added, sounds zero-padded or cut to 10 s: the way of av-benchmark. Others turn
the direction round (stable-audio-metrics) or add 1e-6 (audiocraft, audioldm_eval): do not compare across.

Direction: lower is better. Range 0 upwards. Unit: nat.
Undefined: no clip was scored.
Sources: av-benchmark@050a5cd metrics/kl.py (softmax) and extract.py.
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
    title="KLD (PaSST)",
    version=1,
    unit="nat",
    better="lower",
    ideal=0.0,
    source="av-benchmark@050a5cd metrics/kl.py",
    needs={
        "reference": Need(encoder="passt", layer="logits", of="reference"),
        "generated": Need(encoder="passt", layer="logits", of="generated"),
    },
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip was scored",
    clip_value=POOL.of_clip,
)
