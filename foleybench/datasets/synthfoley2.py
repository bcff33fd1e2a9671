"""SynthFoley 2: procedural clips whose video does not reveal their events.

The events are exact; nothing is downloaded.
"""

from __future__ import annotations

from foleybench.datasets._parts import rendered
from foleybench.synthfoley2 import PRESETS, ClipSpec, render_clip
from foleybench.synthfoley2.difficulty import preset
from foleybench.synthfoley2.splits import SIZES, split_specs

DATASET = rendered.corpus(
    ClipSpec,
    title="SynthFoley 2",
    description=(
        "Procedural clips with up to three sources, silent movers and a moving camera, whose video and audio come "
        "from the same list of events: time, source, class, material, strength, pitch, on or off screen."
    ),
    sizes=SIZES,
    difficulties=PRESETS,
    preset=preset,
    split_specs=split_specs,
    render=render_clip,
)
