"""Our small alignment classifier, shipped, trained on SynthFoley's train split.

Layers:
    probability: () float32: that the audio belongs to the video, and in time.

Trained to tell true pairs from the same audio shifted by 0.08 to 1.5 s and from the audio of other clips, of the same
class and of others, at 12.5 to 25 frames a second; of faster videos the net sees 25 frames a second. The classifier
replaces Diff-Foley's where its weights are not available, and is deterministic. No model may use it.

Changes: 2 was trained on SynthFoley 2, with several sources and other frame rates; 3 sees videos of more than 25 frames
a second at their own time (50 were seen 20 ms early), and everything up to 25 as before, to the bit.

Sources: none; ours. Training in ``foleybench.evaluators.mini``.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from foleybench.api.weights import shipped_mini
from foleybench.encoders._nets.align_judge import judge_encoder

if TYPE_CHECKING:
    from foleybench.encoders._nets.mini_nets import AlignNet

WEIGHTS = shipped_mini("mini_align")


def _load(path: Path) -> AlignNet:
    from foleybench.encoders._nets.mini_nets import AlignNet, unpack

    net = AlignNet()
    unpack(net, path)
    return net


ENCODER = dataclasses.replace(judge_encoder("mini_align", weights=WEIGHTS, load=_load), dataset="synthfoley", version=3)
