"""Set how hard the corpus is: all settings in one place."""

from __future__ import annotations

import dataclasses

from foleybench.errors import UnknownNameError, unknown


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difficulty:
    """Settings of the corpus's difficulty. Probabilities are per clip.

    Attributes:
        contrast_low: Smallest difference in lightness between object and background, 0 to 1.
        contrast_high: Largest one.
        texture: Amplitude of the background's texture, 0 to 1.
        scale_low: Smallest scale of the object in the frame (1 fills most of it), before distance.
        scale_high: Largest one.
        sensor_noise: Standard deviation of the per-frame noise, 0 to 1.
        shake_probability: Hand-held camera.
        shake_amplitude: Largest shift of a shaking camera in frame widths.
        pan_probability: Slow pan to and fro.
        pan_amplitude: Largest shift of a panning camera in frame widths.
        occluder_probability: A bar in front of the scene.
        occluder_width: Largest width of the bar in frame widths.
        distractor_probability: A silent mover that looks like the class.
        offscreen_probability: Sounds whose cause is outside the frame.
    """

    contrast_low: float = 0.25
    contrast_high: float = 0.5
    texture: float = 0.10
    scale_low: float = 0.85
    scale_high: float = 1.1
    sensor_noise: float = 0.02
    shake_probability: float = 0.25
    shake_amplitude: float = 0.012
    pan_probability: float = 0.25
    pan_amplitude: float = 0.05
    occluder_probability: float = 0.2
    occluder_width: float = 0.10
    distractor_probability: float = 0.25
    offscreen_probability: float = 0.10


PRESETS = {
    "easy": Difficulty(
        contrast_low=0.35,
        texture=0.04,
        scale_low=0.95,
        sensor_noise=0.01,
        shake_probability=0.0,
        pan_probability=0.0,
        occluder_probability=0.0,
        distractor_probability=0.0,
        offscreen_probability=0.0,
    ),
    "default": Difficulty(),
    "hard": Difficulty(
        contrast_low=0.14,
        contrast_high=0.35,
        texture=0.18,
        scale_low=0.6,
        scale_high=0.9,
        sensor_noise=0.04,
        shake_probability=0.5,
        pan_probability=0.5,
        occluder_probability=0.5,
        distractor_probability=0.5,
        offscreen_probability=0.2,
    ),
}


def preset(name: str) -> Difficulty:
    """Return a named difficulty.

    Raises:
        UnknownNameError: No such difficulty.
    """
    if name not in PRESETS:
        raise UnknownNameError(unknown("difficulty", name, PRESETS))
    return PRESETS[name]
