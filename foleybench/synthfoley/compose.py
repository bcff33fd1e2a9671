"""Compose a scene from a clip's spec.

A scene has actors, places, and the typed list of all events.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from foleybench.clips import Event
from foleybench.synthesis.dice import Dice
from foleybench.synthfoley.camera import draw_camera, draw_cover, where
from foleybench.synthfoley.cast import draw_cast
from foleybench.synthfoley.classes import SoundClass, load_class
from foleybench.synthfoley.difficulty import Difficulty, preset
from foleybench.synthfoley.mechanisms import load_mechanism
from foleybench.synthfoley.scene import Actor, Camera, Cover, Scene
from foleybench.synthfoley.schedule import CURVE_HZ, Contact, Stroke, contacts, pace_hz, strokes
from foleybench.synthfoley.spec import VERSION, ClipSpec
from foleybench.synthfoley.voices import BODIES, RUBS, STRIKES

_WITHIN_OCTAVES = 0.45
_SIZE_OCTAVES = 1.2
# A harder hit, or faster rubbing, sounds a little higher.
_IMPACT_OCTAVES = 0.12
_SPEED_OCTAVES = 0.3
_FEWEST_PERIODS = 14.0
_FADING = 0.35
_NEAREST_M = 1.5
_APART_S = 0.07
_LAST_S = 0.05
_N_TRIES = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Setting:
    """The values that decide whether an event is visible."""

    camera: Camera
    covers: tuple[Cover, ...]
    duration_s: float
    pair: bool


def compose(spec: ClipSpec) -> Scene:
    """Write the scene of a clip, which alone decides the event list."""
    hard, dice = preset(spec.difficulty), spec.dice
    cast = draw_cast(spec)
    target, covered = _hidden(cast, dice, hard)
    camera = draw_camera(dice, hard, spec.duration_s, None if covered else target)
    covers = (draw_cover(dice, spec.duration_s, target),) if target is not None and covered else ()
    # In a counterfactual pair only the main source may change.
    pair = "counterfactual" in spec.notes
    setting = _Setting(camera=camera, covers=covers, duration_s=spec.duration_s, pair=pair)
    actors: list[Actor] = []
    events: list[Event] = []
    for number, actor in enumerate(cast):
        own = dice if number == 0 else dice.branch(f"actor {number}")
        done, found = _perform(actor, own, hard, setting, events)
        actors.append(done)
        events += found
    events.sort(key=lambda event: (event.time_s, event.source))
    factors = _factors(spec, actors, camera, covers, events)
    return Scene(actors=tuple(actors), camera=camera, covers=covers, events=tuple(events), factors=factors)


def _hidden(cast: Sequence[Actor], dice: Dice, hard: Difficulty) -> tuple[Actor | None, bool]:
    """Choose the actor that is hidden during the clip, if any, and whether a board hides it."""
    if not dice.chance("hide", hard.hide_probability):
        return None, False
    sounding = [actor for actor in cast if not actor.silent]
    return dice.choice("hidden", sounding), dice.chance("covered", 0.4)


def _perform(
    actor: Actor, dice: Dice, hard: Difficulty, setting: _Setting, others: Sequence[Event]
) -> tuple[Actor, list[Event]]:
    """Write one actor's events; a source that is not the main one starts where it collides least with the others."""
    heard = [event.time_s for event in others if event.audible and event.kind == "onset"]
    gap_s = 1.0 / pace_hz(load_class(actor.label).mechanism, actor.tempo)
    free = not (actor.silent or actor.name == "a" or not heard or setting.pair)
    starts = [actor.start_s + (k / _N_TRIES * gap_s if free else 0.0) for k in range(_N_TRIES if free else 1)]
    tries = [_events(dataclasses.replace(actor, start_s=round(s, 4)), dice, hard, setting) for s in starts]
    return min(tries, key=lambda done: _collisions(done[1], heard))


def _collisions(events: Sequence[Event], heard: Sequence[float]) -> int:
    times = np.asarray([event.time_s for event in events if event.audible and event.kind == "onset"])
    if len(times) == 0 or len(heard) == 0:
        return 0
    return int((np.abs(times[:, None] - np.asarray(heard)[None, :]) < _APART_S).sum())


def _events(actor: Actor, dice: Dice, hard: Difficulty, setting: _Setting) -> tuple[Actor, list[Event]]:
    sound_class = load_class(actor.label)
    if sound_class.kind == "span":
        done = strokes(
            actor,
            sound_class.mechanism,
            dice,
            setting.duration_s - actor.delay_s,
            off_probability=hard.soft_probability,
            start_s=actor.start_s,
        )
        return actor, [_span(actor, sound_class, stroke, setting) for stroke in done]
    found = contacts(
        actor,
        sound_class.mechanism,
        dice,
        setting.duration_s - actor.delay_s,
        soft_probability=hard.soft_probability,
        start_s=actor.start_s,
    )
    last_s = setting.duration_s - actor.delay_s - _LAST_S
    within = [contact for contact in found if contact.contact_s < last_s]
    after = [contact.as_json() for contact in found[len(within) :]]
    actor = dataclasses.replace(actor, extra={**actor.extra, "after": after})
    return actor, [_onset(actor, sound_class, contact, setting) for contact in within]


def _onset(actor: Actor, sound_class: SoundClass, contact: Contact, setting: _Setting) -> Event:
    body, strike = BODIES[sound_class.voice], STRIKES[sound_class.mechanism]
    octaves = strike.octaves + _SIZE_OCTAVES * (0.5 - actor.size) + _WITHIN_OCTAVES * contact.place
    octaves += _IMPACT_OCTAVES * (contact.impact - 0.65)
    pitch_hz = round(body.base_hz * actor.pitch * 2.0**octaves, 3)
    # The thin end decays sooner; an event with a pitch lasts long enough for the pitch to be heard.
    decay_s = body.decay_s * strike.decay * actor.ring * 2.0 ** (-0.3 * contact.place)
    decay_s = max(decay_s, _FEWEST_PERIODS / pitch_hz) if body.tonal else decay_s
    silent = actor.silent != "" or contact.soft
    sound = {
        "base_hz": pitch_hz,
        "decay_s": round(decay_s, 5),
        "tilt": round(body.tilt + actor.tilt, 4),
        "noise": round(body.noise * strike.noise * actor.noise, 4),
        "distance_m": actor.distance_m,
    }
    return _event(actor, sound_class, contact, setting, pitch_hz, silent, 0.0, {**contact.as_json(), **sound})


def _span(actor: Actor, sound_class: SoundClass, stroke: Stroke, setting: _Setting) -> Event:
    rub = RUBS[sound_class.voice]
    octaves = _SIZE_OCTAVES * (0.5 - actor.size)
    if sound_class.mechanism == "bow":
        octaves += _WITHIN_OCTAVES * stroke.place
    octaves += _SPEED_OCTAVES * (stroke.impact - 0.65)
    pitch_hz = round(rub.base_hz * actor.pitch**0.5 * 2.0**octaves, 3)
    left_s = setting.duration_s - stroke.contact_s - actor.delay_s
    known = {
        "contact_s": stroke.contact_s,
        "whole_s": stroke.duration_s,
        "impact": stroke.impact,
        "place": stroke.place,
        "off": stroke.off,
        "curve_hz": CURVE_HZ,
        "curve": list(stroke.curve),
        "base_hz": pitch_hz,
        "ring": actor.ring,
        "tilt": actor.tilt,
        "noise": actor.noise,
        "distance_m": actor.distance_m,
    }
    length_s = round(max(0.0, min(stroke.duration_s, left_s)), 6)
    return _event(actor, sound_class, stroke, setting, pitch_hz, stroke.off, length_s, known)


def _event(
    actor: Actor,
    sound_class: SoundClass,
    act: Contact | Stroke,
    setting: _Setting,
    pitch_hz: float,
    silent: bool,
    duration_s: float,
    factors: dict[str, Any],
) -> Event:
    local_x, local_y = load_mechanism(sound_class.mechanism).touch(actor, act.place)
    x, y = actor.x + actor.scale * actor.mirror * local_x, actor.y + actor.scale * local_y
    place = where(setting.camera, setting.covers, x, y, act.contact_s + 0.5 * duration_s)
    fading = (_NEAREST_M / max(actor.distance_m, _NEAREST_M)) ** _FADING
    return Event(
        time_s=round(act.contact_s + actor.delay_s, 6),
        duration_s=duration_s,
        kind=sound_class.kind,
        label=actor.label,
        audible=not silent,
        visible=place == "onscreen",
        strength=round(act.impact * fading, 4),
        source=actor.name,
        material=actor.material,
        pitch_hz=pitch_hz if sound_class.tonal and not silent else None,
        factors={"where": place, **factors},
    )


def _factors(
    spec: ClipSpec, actors: Sequence[Actor], camera: Camera, covers: Sequence[Cover], events: Sequence[Event]
) -> dict[str, Any]:
    main = actors[0]
    scene = {"actors": actors, "camera": camera, "covers": covers}
    return {
        "corpus_version": VERSION,
        "material": main.material,
        "size": main.size,
        "tempo": main.tempo,
        "distance_m": main.distance_m,
        "start_s": main.start_s,
        "labels": sorted({event.label for event in events if event.audible}),
        "scene": json.loads(json.dumps(scene, default=vars)),
        **spec.notes,
    }
