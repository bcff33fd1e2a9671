"""KLD (PaSST, segments): KLD as audiocraft computes it, one term for each 10 s of sound.

Sum of ``p log(p / (q + 1e-6))`` of the posteriors of each segment of up to 10 s, unpadded, averaged over all segments
of all clips: a clip of 20 s counts twice, and a clip of 8 s is heard without the silence that others append. For parity
only; use ``kld_passt``.

Direction: lower is better. Range about 0 to 13.8. Unit: nat.
The truth itself gives about -0.0005: the posterior with 1e-6 added does not sum to 1.
Clips without a segment (0.15 s or less) are not applicable.
Undefined: no clip was scored.
Sources: audiocraft@896ec7c audiocraft/metrics/kld.py (kld_pq).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.divergence import kl_divergence_epsilon, mean_segment_divergence

METRIC = mean_segment_divergence(
    kl_divergence_epsilon,
    encoder="passt_segments",
    title="KLD (PaSST, segments)",
    source="audiocraft@896ec7c metrics/kld.py",
)
