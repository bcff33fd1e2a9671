"""Specify a clip of SynthFoley 2."""

from __future__ import annotations

from foleybench.synthesis.clip_spec import CorpusClip

VERSION = 2


class ClipSpec(CorpusClip):
    """One clip of SynthFoley 2 to make."""

    version = VERSION
