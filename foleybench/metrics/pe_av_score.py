"""PE-AV score: cosine between the embeddings of video and audio.

PE-AV replaces ImageBind's network by one that is maintained and free for commercial use; the two scores do not
compare. PE-AV embeds 16 frames and the whole audio. The cosine is ours: the authors' logit is a scaled dot product of
embeddings that are not of unit length.
"""

from __future__ import annotations

from foleybench.api.metric import Need
from foleybench.metrics._families.cosine import cosine_metric

METRIC = cosine_metric(
    title="PE-AV score",
    source="foleybench; embeddings of transformers 5.23 PeAudioVideoModel, Vyas et al., arXiv 2512.19687",
    first=Need(encoder="pe_av_video", layer="embedding", of="video"),
    second=Need(encoder="pe_av_audio", layer="embedding", of="generated"),
    undefined="no clip has a video",
)
