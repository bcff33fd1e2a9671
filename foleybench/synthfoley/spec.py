"""Specify a clip of SynthFoley 1."""

from __future__ import annotations

from foleybench.synthesis.clip_spec import CorpusClip

VERSION = 1


class ClipSpec(CorpusClip):
    """One clip of SynthFoley 1 to make."""

    version = VERSION
