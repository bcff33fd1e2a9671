"""CLAP score against the real sound: does it sound like the same thing, to a net that knows sounds by their captions.

Mean over clips of the cosine between LAION-CLAP's embeddings of the generated and of the reference sound. It is not the
CLAP score of papers, which compares the sound with a caption: that is ``clap_score``.

Direction: higher is better. Range -1 to 1. Unit: 1. The embedding sees 10 s and is blind to timing.
Undefined: no clip was scored.
Sources: Wu et al., ICASSP 2023 (the embedding); the comparison is ours.
Changes: 1 first version.
"""

from __future__ import annotations

import dataclasses

from foleybench.api.metric import Need
from foleybench.metrics._families.cosine import cosine_metric

METRIC = dataclasses.replace(
    cosine_metric(
        title="CLAP score, sound to sound",
        source="foleybench; embeddings of LAION-AI/CLAP@1fd4c37",
        first=Need(encoder="clap_laion", layer="embedding", of="reference"),
        second=Need(encoder="clap_laion", layer="embedding", of="generated"),
    ),
    ideal=1.0,
)
