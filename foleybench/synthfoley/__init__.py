"""SynthFoley: a procedural corpus with exact event times.

Bytes repeat for the same version, seed and clip id on the same machine and library versions.
"""

from foleybench.synthfoley.classes import class_names, load_class
from foleybench.synthfoley.difficulty import PRESETS, Difficulty
from foleybench.synthfoley.render import compose_events, render_clip, synthesise
from foleybench.synthfoley.spec import VERSION, ClipSpec

__all__ = [
    "PRESETS",
    "VERSION",
    "ClipSpec",
    "Difficulty",
    "class_names",
    "compose_events",
    "load_class",
    "render_clip",
    "synthesise",
]
