"""Render a spec into a clip: compose, draw, play."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from foleybench.clips import AudioArray, Clip, Clock, Event, FloatArray, FrameArray
from foleybench.synthesis.dice import Dice
from foleybench.synthesis.room import room
from foleybench.synthfoley.canvas import Canvas, develop, film
from foleybench.synthfoley.classes import load_class
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.difficulty import preset
from foleybench.synthfoley.materials import MATERIALS
from foleybench.synthfoley.mix import level, peak_of
from foleybench.synthfoley.shot import Shot, camera, frame_shot, grain, occlude, wall
from foleybench.synthfoley.spec import ClipSpec

_OFFSCREEN_S = 0.16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """A clip before drawing and playing: the event list of both.

    Attributes:
        events: Everything that happens, in time order: audible, silent and off-screen.
        factors: The clip's factors; JSON values only.
    """

    events: tuple[Event, ...]
    factors: dict[str, Any]


def render_clip(spec: ClipSpec) -> Clip:
    """Make a clip: same spec, same bytes.

    Args:
        spec: The clip's spec.

    Returns:
        The clip with frames, audio and exact events.

    Example:
        >>> spec = ClipSpec(clip_id="x_000000", source_id="x", label="bounce", split="train", duration_s=1.0)
        >>> clip = render_clip(spec)
        >>> clip.frames.shape, clip.audio.shape
        ((25, 64, 64, 3), (16000,))
    """
    scene = compose_events(spec)
    times_s = frame_times(spec)
    frames, occluded = _draw(spec, scene, times_s)
    rng = spec.dice.generator("timbre")
    audio = synthesise(scene.events, spec.label, scene.factors, spec.duration_s, spec.rate_hz, rng)
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
        factors={**scene.factors, "occluded": occluded},
    )


def frame_times(spec: ClipSpec) -> FloatArray:
    """Return the times of the frames: as many as fit into the clip, from 0."""
    n_frames = max(1, round(spec.duration_s * spec.fps))
    return np.arange(n_frames, dtype=np.float64) / spec.fps


def common_factors(spec: ClipSpec) -> dict[str, Any]:
    """Return the factors that every class has, without composing anything."""
    sound_class, dice = load_class(spec.label), spec.dice
    seen = [name for name in sound_class.materials if name != sound_class.heldout_material]
    options = [sound_class.heldout_material] if spec.heldout_material else seen
    return {
        "family": sound_class.family,
        "material": dice.choice("material", options),
        "size": round(dice.uniform("size", 0.0, 1.0), 4),
        "tempo": round(dice.uniform("tempo", spec.tempo_low, spec.tempo_high), 4),
        "distance_m": round(dice.uniform("distance_m", 1.0, 2.5), 4),
        "start_s": round(dice.uniform("start_s", 0.1, 0.5), 4),
    }


def compose_events(spec: ClipSpec) -> Scene:
    """Write the event list of a clip: the actor's, perhaps a silent look-alike's, perhaps sounds from off screen."""
    sound_class, dice, hard = load_class(spec.label), spec.dice, preset(spec.difficulty)
    factors = common_factors(spec)
    plan = Plan(label=spec.label, dice=dice, duration_s=spec.duration_s, factors=factors)
    events = [_tag(event, "main") for event in sound_class.compose(plan)]
    if sound_class.lookalike != "none" and dice.chance("distractor", hard.distractor_probability):
        ghost = dice.branch("ghost")
        other = {**factors, "tempo": ghost.uniform("tempo", 0.0, 1.0), "start_s": ghost.uniform("start_s", 0.1, 0.5)}
        silent = sound_class.compose(dataclasses.replace(plan, dice=ghost, factors=other))
        events += [dataclasses.replace(_tag(event, "lookalike"), audible=False) for event in silent]
    if dice.chance("offscreen", hard.offscreen_probability):
        events += _offscreen(dice.branch("offscreen"), sound_class, plan, events)
    events.sort(key=lambda event: event.time_s)
    return Scene(events=tuple(events), factors={**factors, **spec.notes})


def synthesise(
    events: Sequence[Event],
    label: str,
    factors: dict[str, Any],
    duration_s: float,
    rate_hz: int,
    rng: np.random.Generator,
) -> AudioArray:
    """Make audio from the events of a clip of this corpus: with a new draw of everything that the video does not show.

    Args:
        events: The clip's events; silent ones are ignored.
        label: The clip's class, for clips without an audible event.
        factors: The clip's factors.
        duration_s: Length of the clip.
        rate_hz: Sample rate.
        rng: Draws tuning, modes, noise, room and microphone.

    Returns:
        Shape (``Clock(duration_s).samples(rate_hz)``,), float32, within [-1, 1].
    """
    audible = [event for event in events if event.audible]
    n_samples = Clock(duration_s).samples(rate_hz)
    dry = np.zeros(n_samples, dtype=np.float32)
    for name in sorted({event.label or label for event in audible}):
        own = tuple(event for event in audible if (event.label or label) == name)
        take = Take(events=own, factors=factors, duration_s=duration_s, rate_hz=rate_hz, rng=rng)
        dry += _at_strength(load_class(name).sound(take), own)
    distance_m = float(factors["distance_m"])
    loudest = max((event.strength for event in audible), default=0.0)
    wet = room(dry, rate_hz, distance_m=distance_m, rng=rng)
    return level(wet, rate_hz, peak=peak_of(loudest, distance_m), rng=rng)


def _at_strength(sound: AudioArray, events: Sequence[Event]) -> AudioArray:
    top = float(np.abs(sound).max())
    loudest = max(event.strength for event in events)
    return sound * np.float32(loudest / top) if top > 0.0 else sound


def _tag(event: Event, actor: str) -> Event:
    return dataclasses.replace(event, factors={"actor": actor, **event.factors})


def _offscreen(dice: Dice, sound_class: SoundClass, plan: Plan, events: Sequence[Event]) -> list[Event]:
    """Write one or two sounds whose cause is not in the frame, where they do not collide with others.

    A class of onsets gets more of its own; a class of spans gets knocks (class ``strike``).
    """
    onset = sound_class.kind == "onset"
    taken = [event.time_s for event in events if event.audible and event.kind == "onset"]
    found: list[Event] = []
    for k in range(24):
        time_s = dice.uniform(f"time {k}", 0.1, plan.duration_s - 0.1)
        if all(abs(time_s - other) >= _OFFSCREEN_S for other in taken) and len(found) < 2:
            taken.append(time_s)
            found.append(
                Event(
                    time_s=round(time_s, 6),
                    label=plan.label if onset else "strike",
                    visible=False,
                    strength=round(dice.uniform(f"strength {k}", 0.4, 0.8), 4),
                    factors={"actor": "offscreen", "next_s": round(plan.duration_s + 1.0, 6)},
                )
            )
    return found


def _draw(spec: ClipSpec, scene: Scene, times_s: FloatArray) -> tuple[FrameArray, bool]:
    dice, hard = spec.dice, preset(spec.difficulty)
    factors = scene.factors
    backed = MATERIALS[common_factors(dataclasses.replace(spec, overrides={}))["material"]]
    shot = frame_shot(dice, hard, MATERIALS[factors["material"]], factors["distance_m"], backed=backed)
    backdrop = wall(dice, hard, shot, spec.pixels)
    sound_class = load_class(spec.label)
    cast = _cast(spec, scene, shot, times_s)
    for actor, (x, scale) in cast:
        sound_class.stage(_place(backdrop, shot, x, scale), actor)
    canvas = film(backdrop, camera(dice, hard, times_s))
    for actor, (x, scale) in cast:
        sound_class.act(_place(canvas, shot, x, scale), actor)
    occluded = occlude(dice, hard, shot, canvas)
    grain(dice, hard, canvas)
    return develop(canvas), occluded


def _place(canvas: Canvas, shot: Shot, x: float, scale: float) -> Canvas:
    return canvas.at(shot.x, shot.y, shot.scale).at(x, 0.0, scale)


def _cast(spec: ClipSpec, scene: Scene, shot: Shot, times_s: FloatArray) -> list[tuple[Actor, tuple[float, float]]]:
    """Return the actors, look-alike first so that the sounding one is in front, each with its place and scale."""
    beside = load_class(spec.label).lookalike == "beside"
    roles = {name: tuple(e for e in scene.events if e.factors["actor"] == name) for name in ("lookalike", "main")}
    shift = 0.27 if spec.dice.chance("lookalike right", 0.5) else -0.27
    cast = []
    for name, events in roles.items():
        if not events:
            continue
        alone = not roles["lookalike"] or not beside
        place = (0.0, 1.0) if alone else ((shift if name == "lookalike" else -shift), 0.7)
        dice = spec.dice.branch("ghost") if name == "lookalike" else spec.dice
        actor = Actor(
            events=events,
            factors=scene.factors,
            times_s=times_s,
            dice=dice,
            silent=name == "lookalike",
            material=MATERIALS[scene.factors["material"]],
            body=shot.body,
            accent=shot.accent,
            ground=shot.ground,
        )
        cast.append((actor, place))
    return cast
