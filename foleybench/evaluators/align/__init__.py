"""Train an alignment classifier on any shards: ``foleybench train align-classifier``.

For users without the weights of Diff-Foley's classifier, or with clips unlike VGGSound's. Half of the pairs are
true, a quarter the clip's own audio shifted, a quarter the audio of another clip: the mix that we recall from
Diff-Foley's paper; its training code was never released, so the mix is not confirmed.
"""

from __future__ import annotations

from foleybench.evaluators.align.train import train_align_classifier

__all__ = ["train_align_classifier"]
