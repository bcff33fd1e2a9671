"""PE-AV score: does the sound belong to the picture, to a net that puts both into one space.

Mean over clips of the cosine between PE-AV's embeddings of the picture (16 frames) and of the whole generated sound:
what the ImageBind score measures, with a net that is maintained and free for commercial use. The two scores do not
compare.

Direction: higher is better. Range -1 to 1. Unit: 1. No system has 1: what real sound has, the control rows say.
The cosine is ours: the authors' logit is a scaled dot product of embeddings that are not of unit length.
Undefined: no clip was scored.
Sources: Vyas et al., arXiv 2512.19687; transformers 5.23 PeAudioVideoModel (embeddings).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import Need
from foleybench.metrics._families.cosine import cosine_metric

METRIC = cosine_metric(
    title="PE-AV score",
    source="foleybench; embeddings of transformers 5.23 PeAudioVideoModel",
    first=Need(encoder="pe_av_video", layer="embedding", of="video"),
    second=Need(encoder="pe_av_audio", layer="embedding", of="generated"),
)
