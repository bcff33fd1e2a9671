"""Render a spec of SynthFoley into a clip."""

from __future__ import annotations

import numpy as np

from foleybench.clips import Clip, FloatArray
from foleybench.synthfoley.compose import compose
from foleybench.synthfoley.difficulty import preset
from foleybench.synthfoley.draw import draw
from foleybench.synthfoley.play import synthesise
from foleybench.synthfoley.spec import ClipSpec


def render_clip(spec: ClipSpec) -> Clip:
    """Make a clip: same spec, same bytes.

    Args:
        spec: The clip's spec.

    Returns:
        The clip with frames, audio and exact events.

    Example:
        >>> spec = ClipSpec(clip_id="x_000000", source_id="x", label="bounce_tin", split="train", duration_s=1.0)
        >>> clip = render_clip(spec)
        >>> clip.frames.shape, clip.audio.shape
        ((25, 64, 64, 3), (16000,))
    """
    scene = compose(spec)
    times_s = frame_times(spec)
    frames = draw(scene, times_s, spec.pixels, spec.dice, preset(spec.difficulty))
    audio = synthesise(scene.events, spec.duration_s, spec.rate_hz, spec.dice.generator("timbre"))
    return Clip(
        clip_id=spec.clip_id,
        source_id=spec.source_id,
        label=spec.label,
        split=spec.split,
        duration_s=spec.duration_s,
        frames=frames,
        frame_times_s=times_s,
        audio=audio,
        rate_hz=spec.rate_hz,
        events=scene.events,
        factors=scene.factors,
    )


def frame_times(spec: ClipSpec) -> FloatArray:
    """Return the times of the frames: as many as fit into the clip, from 0."""
    n_frames = max(1, round(spec.duration_s * spec.fps))
    return np.arange(n_frames, dtype=np.float64) / spec.fps
