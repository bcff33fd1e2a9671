"""Training of an alignment classifier on any shards: ``foleybench train align-classifier``.

For those who have no weights of Diff-Foley's classifier, or whose clips are unlike VGGSound's. Half of the pairs are
true, a quarter the clip's own sound shifted, a quarter the sound of another clip: the mix that we recall from
Diff-Foley's paper; its training code was never released, so the mix is not confirmed.
"""

from __future__ import annotations

from foleybench.evaluators.align.train import train_align_classifier

__all__ = ["train_align_classifier"]
