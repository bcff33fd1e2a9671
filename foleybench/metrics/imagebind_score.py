"""ImageBind score: cosine between the embeddings of video and audio.

Both are averages over pieces of 2 s, as av-benchmark computes them. Papers print 100 times this value. The embedding of
the video uses one frame in 2 s, so the metric is nearly blind to timing. The weights may not be used commercially.
"""

from __future__ import annotations

from foleybench.api.metric import Need
from foleybench.metrics._families.cosine import cosine_metric

METRIC = cosine_metric(
    title="ImageBind score",
    source="av-benchmark@050a5cd evaluate.py (IB-Score); Girdhar et al., CVPR 2023",
    first=Need(encoder="imagebind_video", layer="embedding", of="video"),
    second=Need(encoder="imagebind_audio", layer="embedding", of="generated"),
    undefined="no clip has a video",
)
