"""Specify a clip of SynthFoley."""

from __future__ import annotations

from foleybench.synthesis.clip_spec import CorpusClip

VERSION = 2


class ClipSpec(CorpusClip):
    """One clip of SynthFoley to make."""

    version = VERSION
