"""FAD (mini): Fréchet distance between embeddings of our small SynthFoley classifier.

One embedding a clip. The distance sees realism and variety, not whether audio fits its clip. Values do not compare with
those of ``fad_vggish``.

Changes: 2 has the classifier of SynthFoley 2. 3 keeps embeddings with three decimals (their spread is 1 to 10): a clip
table of 1,026 clips takes 0.36 MB instead of 0.79, and a distance of 194 changes by 2e-4.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="mini_class",
    layer="embedding",
    title="FAD (mini)",
    source='Kilgour et al., "Fréchet Audio Distance", Interspeech 2019, on mini_class embeddings',
    # More clips than for AudioSet embeddings: the 32 values are of few classes.
    minimum_clips=24,
    version=3,
    decimals=3,
)
