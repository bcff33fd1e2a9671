"""SynthFoley: procedural clips with exact events.

Clips are made on the spot; nothing is downloaded.
"""

from __future__ import annotations

from foleybench.datasets._parts import rendered
from foleybench.synthfoley import PRESETS, ClipSpec, render_clip
from foleybench.synthfoley.difficulty import preset
from foleybench.synthfoley.splits import SIZES, split_specs

DATASET = rendered.corpus(
    ClipSpec,
    title="SynthFoley",
    description="Procedural clips whose video and audio come from the same list of events, so that timing is exact.",
    sizes=SIZES,
    difficulties=PRESETS,
    preset=preset,
    split_specs=split_specs,
    render=render_clip,
)
