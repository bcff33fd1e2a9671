"""SynthFoley 2: a procedural corpus with exact, unguessable events.

Bytes repeat for the same version, seed and clip id on the same machine and library versions.
"""

from foleybench.synthfoley2.classes import class_names, load_class
from foleybench.synthfoley2.compose import compose
from foleybench.synthfoley2.difficulty import PRESETS, Difficulty
from foleybench.synthfoley2.play import synthesise
from foleybench.synthfoley2.render import render_clip
from foleybench.synthfoley2.spec import VERSION, ClipSpec

__all__ = [
    "PRESETS",
    "VERSION",
    "ClipSpec",
    "Difficulty",
    "class_names",
    "compose",
    "load_class",
    "render_clip",
    "synthesise",
]
