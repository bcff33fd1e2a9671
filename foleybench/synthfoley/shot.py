"""Choose a clip's background, camera, light and placement."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray
from foleybench.synthesis.dice import Dice
from foleybench.synthesis.shapes import Grid, box
from foleybench.synthfoley.canvas import Canvas, Colour, blank
from foleybench.synthfoley.difficulty import Difficulty
from foleybench.synthfoley.materials import Material

MARGIN = 0.09


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shot:
    """How the scene is filmed.

    Attributes:
        body: Colour of the object.
        accent: Second colour of the object.
        ground: Colour of the ground below the object.
        wall: Colour of the background.
        x: Place of the scene's origin in the frame.
        y: The same, downwards.
        scale: Size of the scene in the frame.
    """

    body: Colour
    accent: Colour
    ground: Colour
    wall: Colour
    x: float
    y: float
    scale: float


def frame_shot(dice: Dice, hard: Difficulty, material: Material, distance_m: float, *, backed: Material) -> Shot:
    """Choose colours and placement.

    Args:
        dice: The clip's draws.
        hard: The difficulty.
        material: Material of the object.
        distance_m: Distance of the object in metres.
        backed: The material that the wall contrasts with: the object's own; in the changed clip of a counterfactual
            pair, that of the base clip, so that the wall stays the same.
    """
    jitter = np.asarray([dice.uniform(f"tint {c}", -0.08, 0.08) for c in "rgb"])
    body = np.clip(np.asarray(material.colour) + jitter, 0.05, 0.95)
    lightness = _wall_lightness(dice, hard, float(np.clip(np.asarray(backed.colour) + jitter, 0.05, 0.95).mean()))
    hue = np.asarray([dice.uniform(f"wall {c}", -0.09, 0.09) for c in "rgb"])
    wall = np.clip(lightness + hue - hue.mean(), 0.03, 0.97)
    step = 0.13 if lightness < 0.5 else -0.13
    accent = np.clip(body + (0.3 if lightness < 0.5 else -0.3), 0.03, 0.97)
    far = 1.1 / (0.8 + 0.3 * distance_m)
    return Shot(
        body=body.astype(np.float32),
        accent=accent.astype(np.float32),
        ground=np.clip(wall + step, 0.0, 1.0).astype(np.float32),
        wall=wall.astype(np.float32),
        x=0.5 + dice.uniform("shot x", -0.08, 0.08),
        y=0.5 + dice.uniform("shot y", -0.05, 0.05),
        scale=dice.uniform("shot scale", hard.scale_low, hard.scale_high) * far,
    )


def wall(dice: Dice, hard: Difficulty, shot: Shot, side_px: int) -> Canvas:
    """Return the background: a lit wall with soft and fine texture, one frame with a margin."""
    canvas = blank(side_px, shot.wall, margin=MARGIN)
    size = canvas.pixels.shape[2]
    rng = dice.generator("texture")
    coarse = rng.standard_normal((9, 9)).astype(np.float32)
    texture = _enlarge(coarse, size) * np.float32(0.6)
    medium = rng.standard_normal((33, 33)).astype(np.float32)
    texture += _enlarge(medium, size) * np.float32(0.4)
    texture += _stripes(dice, size)
    canvas.pixels[0] += np.float32(hard.texture * dice.uniform("texture amount", 0.3, 1.0)) * texture
    return canvas


def camera(dice: Dice, hard: Difficulty, times_s: FloatArray) -> Grid:
    """Return the shift of the scene in every frame, shape (T, 2), in frame widths, never beyond ``MARGIN``."""
    path = np.zeros((len(times_s), 2))
    if dice.chance("shake", hard.shake_probability):
        for axis in range(2):
            for k in range(3):
                rate_hz = dice.uniform(f"shake rate {axis} {k}", 0.7, 4.0)
                phase = dice.uniform(f"shake phase {axis} {k}", 0.0, 2 * np.pi)
                path[:, axis] += hard.shake_amplitude / 3 * np.sin(2 * np.pi * rate_hz * times_s + phase)
    if dice.chance("pan", hard.pan_probability):
        rate_hz, phase = dice.uniform("pan rate", 0.08, 0.25), dice.uniform("pan phase", 0.0, 2 * np.pi)
        path[:, 0] += hard.pan_amplitude * np.sin(2 * np.pi * rate_hz * times_s + phase)
    return np.clip(path, -MARGIN, MARGIN).astype(np.float32)


def occlude(dice: Dice, hard: Difficulty, shot: Shot, canvas: Canvas) -> bool:
    """Paint a bar in front of everything in some clips; return whether there is one."""
    if not dice.chance("occluder", hard.occluder_probability):
        return False
    shade = np.clip(shot.wall * 0.6 + 0.05, 0.0, 1.0).astype(np.float32)
    width = dice.uniform("occluder width", 0.5, 1.0) * hard.occluder_width
    tilt = dice.uniform("occluder tilt", -0.3, 0.3)
    x = dice.uniform("occluder x", 0.15, 0.85)
    canvas.paint(box, shade, reach=0.75, x=x, y=0.5, angle=tilt, hw=width / 2, hh=1.0)
    return True


def grain(dice: Dice, hard: Difficulty, canvas: Canvas) -> None:
    """Add sensor noise to every frame: windows of one noise image at random places, which is cheap."""
    side = canvas.side_px
    rng = dice.generator("sensor")
    sheet = rng.standard_normal((side + 61, side + 61), dtype=np.float32) * np.float32(hard.sensor_noise)
    corners = rng.integers(0, 61, (canvas.n_frames, 2))
    for frame, (y, x) in zip(canvas.pixels, corners.tolist(), strict=True):
        frame += sheet[y : y + side, x : x + side]


def _wall_lightness(dice: Dice, hard: Difficulty, body: float) -> float:
    contrast = dice.uniform("contrast", hard.contrast_low, hard.contrast_high)
    darker, lighter = body - contrast, body + contrast
    if darker < 0.08:
        return min(lighter, 0.92)
    if lighter > 0.92:
        return darker
    return darker if dice.chance("dark wall", 0.5) else lighter


def _enlarge(coarse: npt.NDArray[np.float32], size: int) -> Grid:
    place = np.linspace(0.0, len(coarse) - 1.001, size)
    left = place.astype(int)
    part = (place - left).astype(np.float32)
    rows = coarse[left] * (1 - part)[:, None] + coarse[left + 1] * part[:, None]
    return np.asarray(rows[:, left] * (1 - part) + rows[:, left + 1] * part)


def _stripes(dice: Dice, size: int) -> Grid:
    angle, waves = dice.uniform("stripe angle", 0.0, np.pi), dice.uniform("stripe waves", 3.0, 12.0)
    amount = max(0.0, dice.uniform("stripe amount", -1.0, 1.0))
    axis = np.linspace(0.0, 1.0, size, dtype=np.float32)
    along = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    return np.asarray(amount * np.sin(2 * np.pi * waves * along), dtype=np.float32)
