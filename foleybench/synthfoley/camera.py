"""Move the camera, and decide what it shows."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from foleybench.clips import FloatArray
from foleybench.synthesis.dice import Dice
from foleybench.synthfoley.difficulty import Difficulty
from foleybench.synthfoley.scene import Actor, Camera, Cover

Place = Literal["onscreen", "offscreen", "occluded"]
_EDGE = 0.02
_AWAY = (0.6, 0.95)


def draw_camera(dice: Dice, hard: Difficulty, duration_s: float, target: Actor | None) -> Camera:
    """Draw the camera's motion.

    Args:
        dice: The clip's draws.
        hard: The difficulty.
        duration_s: Length of the clip.
        target: The actor that is to leave the frame, or None.
    """
    camera = Camera()
    if dice.chance("shake", hard.shake_probability):
        across, down = (
            tuple(
                (
                    round(hard.shake_amplitude / 3, 5),
                    round(dice.uniform(f"shake rate {axis} {k}", 0.7, 4.0), 4),
                    round(dice.uniform(f"shake phase {axis} {k}", 0.0, 2 * np.pi), 4),
                )
                for k in range(3)
            )
            for axis in range(2)
        )
        camera = dataclasses.replace(camera, shake=(across, down))
    if dice.chance("pan", hard.pan_probability):
        phase = round(dice.uniform("pan phase", 0.0, 2 * np.pi), 4)
        pan = (hard.pan_amplitude, round(dice.uniform("pan rate", 0.08, 0.25), 4), phase)
        camera = dataclasses.replace(camera, pan=pan)
    if dice.chance("zoom", hard.zoom_probability):
        ends = (1.0, round(dice.uniform("zoom factor", 1.1, 1.35), 4))
        ends = ends if dice.chance("zoom in", 0.5) else ends[::-1]
        start_s = round(dice.uniform("zoom start", 0.0, 0.5) * duration_s, 4)
        camera = dataclasses.replace(camera, zoom=(*ends, start_s, round(start_s + 0.4 * duration_s, 4)))
    if target is not None:
        side = 1.0 if target.x < 0.5 else -1.0
        from_s, back_s = hiding_times(dice, duration_s)
        away = (side * round(dice.uniform("away", *_AWAY), 4), from_s, 0.35, back_s)
        camera = dataclasses.replace(camera, away=away)
    return camera


def draw_cover(dice: Dice, duration_s: float, target: Actor) -> Cover:
    """Draw the board that comes to stand in front of an actor."""
    from_s, back_s = hiding_times(dice, duration_s)
    above = dice.chance("cover from above", 0.5)
    side = -1.0 if target.x < 0.5 else 1.0
    return Cover(
        x=target.x,
        y=target.y,
        half=round(0.62 * target.scale, 4),
        from_s=from_s,
        move_s=0.35,
        back_s=back_s,
        dx=0.0 if above else side * 1.0,
        dy=-1.2 if above else 0.0,
        shade=round(dice.uniform("cover shade", 0.1, 0.9), 4),
    )


def hiding_times(dice: Dice, duration_s: float) -> tuple[float, float]:
    """Return when hiding starts and ends; every actor was visible for a while before."""
    from_s = max(1.1, dice.uniform("hide from", 0.3, 0.48) * duration_s)
    stays = dice.chance("hide stays", 0.7)
    back_s = duration_s + 1.0 if stays else from_s + dice.uniform("hide for", 0.35, 0.5) * duration_s
    return round(from_s, 4), round(back_s, 4)


def camera_path(camera: Camera, times_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where the camera looks, (T, 2) in frame widths against rest, and its zoom, (T,)."""
    path = np.zeros((len(times_s), 2))
    for axis, waves in enumerate(camera.shake):
        for amplitude, rate_hz, phase in waves:
            path[:, axis] += amplitude * np.sin(2 * np.pi * rate_hz * times_s + phase)
    amplitude, rate_hz, phase = camera.pan
    path[:, 0] += amplitude * np.sin(2 * np.pi * rate_hz * times_s + phase)
    shift, from_s, move_s, back_s = camera.away
    path[:, 0] += shift * (ease((times_s - from_s) / move_s) - ease((times_s - back_s) / move_s))
    first, last, start_s, end_s = camera.zoom
    zoom = first + (last - first) * ease((times_s - start_s) / (end_s - start_s))
    return path, np.asarray(zoom)


def cover_path(cover: Cover, times_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the centre of a board in frame widths, two arrays of shape (T,)."""
    there = ease((times_s - cover.from_s) / cover.move_s) - ease((times_s - cover.back_s) / cover.move_s)
    return cover.x + cover.dx * (1.0 - there), cover.y + cover.dy * (1.0 - there)


def where(camera: Camera, covers: tuple[Cover, ...], x: float, y: float, time_s: float) -> Place:
    """Return whether a point of the scene is visible at a time."""
    moment = np.asarray([time_s])
    path, zoom = camera_path(camera, moment)
    across = (x - 0.5 - path[0, 0]) * zoom[0] + 0.5
    down = (y - 0.5 - path[0, 1]) * zoom[0] + 0.5
    if not (_EDGE <= across <= 1.0 - _EDGE and _EDGE <= down <= 1.0 - _EDGE):
        return "offscreen"
    for cover in covers:
        cx, cy = cover_path(cover, moment)
        if abs(x - cx[0]) < cover.half and abs(y - cy[0]) < cover.half:
            return "occluded"
    return "onscreen"


def ease(share: FloatArray) -> FloatArray:
    """Return 0 below 0, 1 above 1, smooth between."""
    t = np.minimum(np.maximum(share, 0.0), 1.0)  # as np.clip, without its cost for a few numbers
    return np.asarray(t * t * (3.0 - 2.0 * t))
