"""FAD (mini): Fréchet distance between embeddings of our small SynthFoley classifier.

One embedding a clip. The distance sees realism and variety, not whether audio fits its clip. Values do not compare with
those of ``fad_vggish``.

Changes: 2 has the classifier of SynthFoley 2.
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
    version=2,
)
