"""ImageBind score: does the sound belong to the picture, to a net that puts both into one space.

Mean over clips of the cosine between ImageBind's embeddings of the picture and of the generated sound, computed from
clips of 2 s and averaged, as av-benchmark does. Papers print 100 times this value.

Direction: higher is better. Range -1 to 1. Unit: 1. No system has 1: what real sound has, the control rows say.
It is nearly blind to timing: it looks at one frame in 2 s. The weights may not be used commercially.
Undefined: no clip was scored.
Sources: Girdhar et al., CVPR 2023; av-benchmark@050a5cd evaluate.py (IB-Score).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import Need
from foleybench.metrics._families.cosine import cosine_metric

METRIC = cosine_metric(
    title="ImageBind score",
    source="av-benchmark@050a5cd evaluate.py (IB-Score)",
    first=Need(encoder="imagebind_video", layer="embedding", of="video"),
    second=Need(encoder="imagebind_audio", layer="embedding", of="generated"),
)
