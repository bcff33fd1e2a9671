"""Draw a scene into frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray, FrameArray
from foleybench.synthesis.dice import Dice
from foleybench.synthesis.normal import normal
from foleybench.synthesis.shapes import Grid, box
from foleybench.synthfoley.camera import camera_path, cover_path
from foleybench.synthfoley.classes import load_class
from foleybench.synthfoley.difficulty import Difficulty
from foleybench.synthfoley.look import look_of
from foleybench.synthfoley.mechanisms import load_mechanism
from foleybench.synthfoley.scene import Scene
from foleybench.synthfoley.view import Colour, View, develop, film, still

_BEYOND = (1.15, 0.2)
_BEYOND_AT_REST = (0.2, 0.2)


def draw(scene: Scene, times_s: FloatArray, side_px: int, dice: Dice, hard: Difficulty) -> FrameArray:
    """Draw a scene.

    Args:
        scene: Actors, places, events and camera.
        times_s: Frame times, shape (T,).
        side_px: Side of a frame.
        dice: The clip's draws, for wall, light and noise.
        hard: The difficulty.

    Returns:
        Shape (T, side_px, side_px, 3) uint8.
    """
    path, zoom = camera_path(scene.camera, times_s)
    wall = _wall_colour(dice)
    backdrop = _backdrop(wall, dice, hard, side_px, away=bool(scene.camera.away[0]))
    contrast = dice.uniform("contrast", hard.contrast_low, hard.contrast_high)
    # Far ones first, so that near ones are in front of them.
    order = sorted(scene.actors, key=lambda actor: -actor.distance_m)
    cast = [
        (
            load_mechanism(load_class(actor.label).mechanism),
            look_of(actor, scene.of(actor), times_s, wall=wall, contrast=contrast),
        )
        for actor in order
    ]
    for mechanism, look in cast:
        actor = look.actor
        mechanism.stage(backdrop.at(actor.x, actor.y, actor.scale, actor.mirror), look)
    view = film(backdrop, path, zoom)
    for mechanism, look in cast:
        actor = look.actor
        mechanism.act(view.at(actor.x, actor.y, actor.scale, actor.mirror), look)
    for cover in scene.covers:
        x, y = cover_path(cover, times_s)
        shade = np.clip(0.5 * wall + 0.5 * np.float32(cover.shade), 0.0, 1.0).astype(np.float32)
        view.paint(box, shade, reach=cover.half + 0.02, x=x, y=y, hw=cover.half, hh=cover.half)
    _grain(view, dice, hard)
    return develop(view)


def _wall_colour(dice: Dice) -> Colour:
    lightness = dice.uniform("wall lightness", 0.15, 0.85)
    hue = np.asarray([dice.uniform(f"wall {c}", -0.09, 0.09) for c in "rgb"])
    return np.asarray(np.clip(lightness + hue - hue.mean(), 0.03, 0.97), dtype=np.float32)


def _backdrop(wall: Colour, dice: Dice, hard: Difficulty, side_px: int, *, away: bool) -> View:
    """Return a lit wall with soft and fine texture, wide enough for the camera's whole path."""
    view = still(side_px, wall, beyond=_BEYOND if away else _BEYOND_AT_REST)
    height, width = view.pixels.shape[1:3]
    rng = dice.generator("texture")
    across = 1.0 * width / side_px
    down = 1.0 * height / side_px
    texture = np.zeros((height, width), dtype=np.float32)
    for per_width, share in ((4, 0.6), (16, 0.4)):
        knots = normal(rng, (int(per_width * down) + 2, int(per_width * across) + 2))
        texture += np.float32(share) * _enlarge(knots, height, width)
    texture += _stripes(dice, height, width, side_px)
    amount = np.float32(hard.texture * dice.uniform("texture amount", 0.3, 1.0))
    view.pixels[0] += (amount * texture)[:, :, None]
    return view


def _grain(view: View, dice: Dice, hard: Difficulty) -> None:
    """Add sensor noise to every frame: windows of one noise image at random places, which is cheap."""
    side = view.side_px
    rng = dice.generator("sensor")
    sheet = normal(rng, (side + 61, side + 61, 1)) * np.float32(hard.sensor_noise)
    sheet = np.repeat(sheet, 3, axis=2)
    corners = rng.integers(0, 61, (len(view.pixels), 2))
    for frame, (y, x) in zip(view.pixels, corners.tolist(), strict=True):
        frame += sheet[y : y + side, x : x + side]


def _enlarge(knots: npt.NDArray[np.float32], height: int, width: int) -> Grid:
    """Return a smooth image through a few values, by linear interpolation along each axis."""
    for axis, size in enumerate((height, width)):
        place = np.linspace(0.0, knots.shape[axis] - 1.001, size)
        low = place.astype(int)
        part = (place - low).astype(np.float32)
        part = part[:, None] if axis == 0 else part[None, :]
        knots = np.take(knots, low, axis) * (1 - part) + np.take(knots, low + 1, axis) * part
    return knots


def _stripes(dice: Dice, height: int, width: int, side_px: int) -> Grid:
    angle, waves = dice.uniform("stripe angle", 0.0, np.pi), dice.uniform("stripe waves", 3.0, 12.0)
    amount = max(0.0, dice.uniform("stripe amount", -1.0, 1.0))
    across = np.arange(width, dtype=np.float32) / np.float32(side_px)
    down = np.arange(height, dtype=np.float32) / np.float32(side_px)
    along = np.float32(np.cos(angle)) * across[None, :] + np.float32(np.sin(angle)) * down[:, None]
    return np.asarray(np.float32(amount) * np.sin(np.float32(2 * np.pi * waves) * along))
