"""SynthFoley: a procedural corpus with exact, unguessable events.

Bytes repeat for the same version, seed and clip id, with the same library versions, on x86-64 processors with AVX2 or
newer.
"""

from foleybench.synthfoley.classes import class_names, load_class
from foleybench.synthfoley.compose import compose
from foleybench.synthfoley.difficulty import PRESETS, Difficulty
from foleybench.synthfoley.play import synthesise
from foleybench.synthfoley.render import render_clip
from foleybench.synthfoley.spec import VERSION, ClipSpec

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
