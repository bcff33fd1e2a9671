"""Set how hard SynthFoley is, in one place."""

from __future__ import annotations

import dataclasses

from foleybench.errors import UnknownNameError, unknown


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difficulty:
    """Settings of SynthFoley's difficulty. Probabilities are per clip.

    Attributes:
        contrast_low: Smallest difference in lightness between objects and background, 0 to 1.
        contrast_high: Largest one.
        texture: Amplitude of the background's texture, 0 to 1.
        sensor_noise: Standard deviation of the per-frame noise, 0 to 1.
        second_probability: A second sounding source.
        third_probability: A third one, given a second.
        silent_probability: A silent mover.
        silent_again_probability: A second one, given the first and room for it.
        hide_probability: A source leaves the frame, or a board moves in front of it, while its events go on.
        shake_probability: Hand-held camera.
        shake_amplitude: Largest shift of a shaking camera in frame widths.
        pan_probability: Slow pan to and fro.
        pan_amplitude: Largest shift of a slow pan in frame widths.
        zoom_probability: The camera zooms in or out.
        soft_probability: Share of a source's contacts that are gentle and silent, per contact.
    """

    contrast_low: float = 0.22
    contrast_high: float = 0.5
    texture: float = 0.08
    sensor_noise: float = 0.02
    second_probability: float = 0.52
    third_probability: float = 0.35
    silent_probability: float = 0.42
    silent_again_probability: float = 0.3
    hide_probability: float = 0.65
    shake_probability: float = 0.3
    shake_amplitude: float = 0.012
    pan_probability: float = 0.3
    pan_amplitude: float = 0.05
    zoom_probability: float = 0.15
    soft_probability: float = 0.18


PRESETS = {
    "easy": Difficulty(
        contrast_low=0.35,
        texture=0.03,
        sensor_noise=0.01,
        second_probability=0.0,
        third_probability=0.0,
        silent_probability=0.0,
        silent_again_probability=0.0,
        hide_probability=0.0,
        shake_probability=0.0,
        pan_probability=0.0,
        zoom_probability=0.0,
    ),
    "default": Difficulty(),
    "hard": Difficulty(
        contrast_low=0.14,
        contrast_high=0.35,
        texture=0.14,
        sensor_noise=0.035,
        second_probability=0.8,
        third_probability=0.5,
        silent_probability=0.7,
        silent_again_probability=0.5,
        hide_probability=0.9,
        shake_probability=0.6,
        pan_probability=0.6,
        zoom_probability=0.3,
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
