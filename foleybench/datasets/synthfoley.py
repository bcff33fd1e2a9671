"""SynthFoley: procedural clips whose video does not reveal their events.

The events are exact; nothing is downloaded.
"""

from __future__ import annotations

from foleybench.datasets._parts import rendered
from foleybench.synthfoley import PRESETS, ClipSpec, render_clip
from foleybench.synthfoley.difficulty import preset
from foleybench.synthfoley.splits import PUBLISHED, SIZES, split_specs

DATASET = rendered.corpus(
    ClipSpec,
    title="SynthFoley",
    description=(
        "Procedural clips with up to three sources, silent movers and a moving camera, whose video and audio come "
        "from the same list of events: time, source, class, material, strength, pitch, on or off screen."
    ),
    sizes=SIZES,
    difficulties=PRESETS,
    preset=preset,
    split_specs=split_specs,
    render=render_clip,
    published=PUBLISHED,
)
