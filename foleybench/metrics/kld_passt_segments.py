"""KLD (PaSST, segments): one term for each 10 s, audiocraft's KLD.

Segments of up to 10 s, unpadded, averaged over all segments of all clips: a clip of 20 s counts twice, and a clip of 8
s goes in without the silence that others append. Clips without a segment (0.15 s or less) do not apply.
"""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_segments_metric

METRIC = kl_segments_metric(
    encoder="passt_segments",
    title="KLD (PaSST, segments)",
    source="audiocraft@896ec7c audiocraft/metrics/kld.py (kld_pq)",
)
