"""ImageBind score: does the sound belong to the picture, to a net that puts both into one space.

Mean over clips of the cosine between ImageBind's embeddings of the picture and of the generated sound, computed from
clips of 2 s and averaged, as av-benchmark does. Papers print 100 times this value.

Direction: higher is better. Range -1 to 1. Unit: 1. No system has 1: real sound has about 0.3, the control rows say
how much. It is nearly blind to timing: it looks at one frame in 2 s. A sound of the right class at any moment scores
like the real one. The weights may not be used commercially; ``pe_av_score`` asks the same of a net that may.
Undefined: no clip was scored.
Sources: Girdhar et al., CVPR 2023; av-benchmark@050a5cd evaluate.py (IB-Score).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics import Need
from foleybench.metrics._cosine import cosine_metric

METRIC = cosine_metric(
    title="ImageBind score",
    source="av-benchmark@050a5cd evaluate.py (IB-Score)",
    first=Need(encoder="imagebind_video", layer="embedding", of="video"),
    second=Need(encoder="imagebind_audio", layer="embedding", of="generated"),
)
