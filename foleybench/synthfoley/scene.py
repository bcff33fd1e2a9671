"""Describe the scene that frames and audio are made from.

Everything here is JSON, so that a shard holds the whole scene: actors, places, camera and events.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from foleybench.clips import Event

Silence = Literal["", "soft", "miss"]
SPEED_OF_SOUND = 343.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Actor:
    """One object and its properties.

    Attributes:
        name: Id within the clip, written on each of its events as ``source``.
        label: Its class; silent and sounding objects look alike.
        material: Its material.
        size: 0 to 1; larger objects have lower pitch.
        tempo: 0 to 1, more when held out.
        distance_m: Distance in metres, which decides delay, level, brightness, place and size.
        start_s: Time of its first contact.
        x: Its place, in frame widths at rest.
        y: The same, downwards.
        scale: Frame widths per local unit.
        mirror: -1 when mirrored, else 1.
        silent: Why it never sounds: ``soft`` (it touches gently only), ``miss`` (it never touches), or "".
        steady: Whether its rhythm is even, so that it can be followed while it is hidden.
        stiffness: In GPa.
        density: In kg/m3.
        ring: Factor on the decay time.
        tilt: Added to the tilt of the body.
        noise: Factor on the noise of a contact.
        pitch: Factor on the pitch, from stiffness and density.
        tint: (3,) colour that has nothing to do with the material, mixed into it.
        extra: Facts of its mechanism (pegs), and in ``after`` the contacts that follow the end of the clip.
    """

    name: str
    label: str
    material: str
    size: float
    tempo: float
    distance_m: float
    start_s: float
    x: float
    y: float
    scale: float
    mirror: int
    silent: Silence
    steady: bool
    stiffness: float
    density: float
    ring: float
    tilt: float
    noise: float
    pitch: float
    tint: tuple[float, float, float]
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def delay_s(self) -> float:
        """Delay of the audio against the video, in seconds."""
        return self.distance_m / SPEED_OF_SOUND


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cover:
    """A board that slides in front of objects.

    Attributes:
        x: Centre when it is in place, in frame widths at rest.
        y: The same, downwards.
        half: Half of its side.
        from_s: Time when it starts to come.
        move_s: Seconds that coming and going take.
        back_s: Time when it starts to go; after the end when it stays.
        dx: Start of its way, against its place.
        dy: The same, downwards.
        shade: Its lightness.
    """

    x: float
    y: float
    half: float
    from_s: float
    move_s: float
    back_s: float
    dx: float
    dy: float
    shade: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Camera:
    """How the camera moves.

    Attributes:
        shake: (amplitude, rate in Hz, phase) of the waves of each axis: first those across, then those down.
        pan: (amplitude, rate in Hz, phase) of a slow pan.
        away: (shift, from second, seconds it takes, second when it starts back) of a look aside.
        zoom: (factor at the start, factor at the end, from second, to second).
    """

    shake: tuple[tuple[tuple[float, float, float], ...], tuple[tuple[float, float, float], ...]] = ((), ())
    pan: tuple[float, float, float] = (0.0, 0.1, 0.0)
    away: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    zoom: tuple[float, float, float, float] = (1.0, 1.0, 0.0, 1.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """A clip before drawing and playing.

    Attributes:
        actors: All actors, the main source first.
        camera: Motion of the camera.
        covers: Boards that slide in front.
        events: All events, in audible order: audible and silent, visible and hidden.
        factors: The clip's factors; JSON values only.
    """

    actors: tuple[Actor, ...]
    camera: Camera
    covers: tuple[Cover, ...]
    events: tuple[Event, ...]
    factors: dict[str, Any]

    def of(self, actor: Actor) -> tuple[Event, ...]:
        """Return an actor's events."""
        return tuple(event for event in self.events if event.source == actor.name)
