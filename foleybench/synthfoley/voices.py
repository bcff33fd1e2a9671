"""Define voices: how a body rings when struck or rubbed.

The first mode is the pitch written in the event list; the others are multiples of it, slightly detuned in every take.
Sources: mode ratios of the free bar, the ideal membrane, the closed pipe and the bell from Fletcher and Rossing, The
Physics of Musical Instruments, 2nd edition, chapters 2, 3, 8 and 21.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

Rubbed = Literal["noise", "ridges", "harmonic", "tone", "clicks"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Body:
    """A body that is struck.

    Attributes:
        ratios: Frequencies of its modes over the lowest one.
        base_hz: Pitch of a middle-sized one of wood.
        decay_s: Time for the lowest mode to fall to 1/e, before the material's ``ring``.
        slope: How much faster high modes die: decay is divided by ``ratio ** slope``.
        tilt: How weak high modes are: gain is ``ratio ** -tilt``.
        noise: Share of a contact that is noise.
        tonal: Whether its pitch can be heard, so that events state it.
    """

    ratios: tuple[float, ...]
    base_hz: float
    decay_s: float
    slope: float
    tilt: float
    noise: float
    tonal: bool


BODIES = {
    "bar": Body(
        ratios=(1.0, 2.76, 5.40, 8.93), base_hz=620.0, decay_s=0.20, slope=0.8, tilt=0.9, noise=0.3, tonal=True
    ),
    "bell": Body(
        ratios=(1.0, 2.4, 3.0, 4.5, 5.33, 6.67),
        base_hz=560.0,
        decay_s=0.40,
        slope=0.5,
        tilt=0.5,
        noise=0.15,
        tonal=True,
    ),
    "tube": Body(
        ratios=(1.0, 3.0, 5.0, 7.0, 9.0), base_hz=300.0, decay_s=0.14, slope=0.3, tilt=0.8, noise=0.25, tonal=True
    ),
    "drum": Body(
        ratios=(1.0, 1.59, 2.14, 2.30, 2.65, 2.92, 3.5),
        base_hz=170.0,
        decay_s=0.12,
        slope=0.6,
        tilt=0.8,
        noise=0.5,
        tonal=False,
    ),
    "tin": Body(
        ratios=(1.0, 1.13, 1.41, 1.73, 1.97, 2.33, 2.81, 3.2, 3.91, 4.7),
        base_hz=760.0,
        decay_s=0.10,
        slope=0.4,
        tilt=0.0,
        noise=1.0,
        tonal=False,
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rub:
    """A body that sounds while it is rubbed or turned.

    Attributes:
        way: Kind of synthesis.
        base_hz: Pitch or centre of a middle-sized one of wood at full speed.
        tonal: Whether its pitch can be heard.
        pulses_hz: Ridges or spokes a second at full speed, for ways with pulses.
        breath: Share of noise.
    """

    way: Rubbed
    base_hz: float
    tonal: bool
    pulses_hz: float = 0.0
    breath: float = 0.0


RUBS = {
    "rough": Rub(way="noise", base_hz=1100.0, tonal=False),
    "ridge": Rub(way="ridges", base_hz=900.0, tonal=False, pulses_hz=230.0),
    "squeal": Rub(way="tone", base_hz=1250.0, tonal=True, breath=0.25),
    "card": Rub(way="clicks", base_hz=1600.0, tonal=False, pulses_hz=230.0),
    "brush": Rub(way="noise", base_hz=2600.0, tonal=False, pulses_hz=14.0),
    "reed": Rub(way="harmonic", base_hz=300.0, tonal=True, breath=0.08),
    "string": Rub(way="harmonic", base_hz=230.0, tonal=True, breath=0.04),
    "saw": Rub(way="tone", base_hz=620.0, tonal=True, breath=0.02),
    "hoarse": Rub(way="noise", base_hz=520.0, tonal=False, breath=0.0),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Strike:
    """How a mechanism excites a body, which distinguishes mechanisms by ear.

    Attributes:
        octaves: Octaves added to the pitch of the body.
        decay: Factor on the decay of the body.
        noise: Factor on the noise of a contact.
        noise_s: Time for that noise to fall to 1/e.
        noise_hz: Lower and upper edge of that noise.
    """

    octaves: float
    decay: float
    noise: float
    noise_s: float
    noise_hz: tuple[float, float]


STRIKES = {
    "bounce": Strike(octaves=0.0, decay=0.9, noise=1.0, noise_s=0.012, noise_hz=(150.0, 1200.0)),
    "hammer": Strike(octaves=0.2, decay=1.3, noise=1.6, noise_s=0.004, noise_hz=(2500.0, 7500.0)),
    "pendulum": Strike(octaves=-0.5, decay=1.3, noise=0.3, noise_s=0.006, noise_hz=(300.0, 2500.0)),
    "step": Strike(octaves=-0.2, decay=0.5, noise=2.2, noise_s=0.035, noise_hz=(400.0, 3500.0)),
    "collide": Strike(octaves=0.6, decay=0.8, noise=1.2, noise_s=0.010, noise_hz=(900.0, 4500.0)),
    "spin": Strike(octaves=1.0, decay=0.4, noise=0.8, noise_s=0.003, noise_hz=(1500.0, 7000.0)),
}
