"""Loudness and spectrum against the libraries that people use for them, from audio to value."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.api.metric import ClipView
from foleybench.encoders.spectrum import ROLLOFF, mean_power
from metric_cases import Case

N, RATE_HZ = 40, 48000
Pairs = list[tuple[np.ndarray, np.ndarray]]


def sounds(rng: np.random.Generator) -> Pairs:
    """Pairs of bursts of coloured noise, of whole tenths of a second."""
    made = []
    for _ in range(N):
        n = RATE_HZ // 10 * int(rng.integers(20, 100))
        pair = []
        for _ in range(2):
            level = 10 ** (np.repeat(rng.uniform(-4, -0.5, -(-n // 9600)), 9600)[:n])
            noise = np.cumsum(rng.standard_normal(n)) * rng.uniform(0, 0.02) + rng.standard_normal(n)
            pair.append(np.float32(0.3 * level * (noise - noise.mean())))
        made.append((pair[0], pair[1]))
    return made


def ours(metric: str, made: Pairs) -> float:
    """Our value: encoder, then metric."""
    card = registry.load("metrics", metric)
    need = card.needs["generated"]
    encode = registry.load("encoders", need.encoder).build("cpu")
    stats = []
    for number, pair in enumerate(made):
        found = encode([Signal(audio=sound, duration_s=len(sound) / RATE_HZ) for sound in pair])
        view = ClipView(
            clip_id=f"clip{number}_000000",
            source_id=f"clip{number}",
            label="",
            duration_s=len(pair[0]) / RATE_HZ,
            events=None,
            features={"reference": found[0][need.layer], "generated": found[1][need.layer]},
        )
        stats.append(card.per_clip(view))
    return float(card.pool(stats))


def loudness(filters: str, _: Path, rng: np.random.Generator) -> tuple[float, float]:
    """Mean absolute difference of integrated loudness."""
    import pyloudnorm

    made = sounds(rng)
    meter = pyloudnorm.Meter(RATE_HZ, filter_class=filters)
    theirs = [[meter.integrated_loudness(np.float64(sound)) for sound in pair] for pair in made]
    return ours("loudness_difference", made), float(np.mean([abs(g - r) for r, g in theirs]))


def spectrum(metric: str, _: Path, rng: np.random.Generator) -> tuple[float, float]:
    """Centroid and roll-off of our mean power spectrum; that spectrum itself is scipy's, by Welch's method."""
    import librosa
    from scipy.signal import welch

    made = sounds(rng)

    def theirs(sound: np.ndarray) -> float:
        hz, density = welch(np.float64(sound - sound.mean()), RATE_HZ, "hann", 2048, 1024, detrend=False)
        density[-1] *= 2  # a one-sided density doubles every bin but the first and this one; ours are all alike
        power = density[hz >= mean_power(sound)[0][0], None]
        given = {"S": power, "freq": hz[-len(power) :]}
        if metric == "rolloff_difference":
            return float(librosa.feature.spectral_rolloff(**given, roll_percent=ROLLOFF)[0, 0])
        return float(librosa.feature.spectral_centroid(**given)[0, 0])

    return ours(metric, made), float(np.mean([abs(np.log2(theirs(g) / theirs(r))) for r, g in made]))


CASES = (
    Case(
        metric="loudness_difference",
        protocol="foleybench",
        peer="pyloudnorm",
        function="Meter(filter_class='DeMan').integrated_loudness",
        measure=functools.partial(loudness, "DeMan"),
    ),
    Case(
        metric="loudness_difference",
        protocol="foleybench",
        peer="pyloudnorm",
        function="Meter().integrated_loudness",
        measure=functools.partial(loudness, "K-weighting"),
        tolerance=None,
        reason="its default filters only come near the standard's tables; ours are the tables",
    ),
    *(
        Case(
            metric=metric,
            protocol=protocol,
            peer="librosa",
            function=f"feature.{function}, on scipy's Welch spectrum",
            measure=functools.partial(spectrum, metric),
            tolerance=1e-4,
        )
        for metric, protocol, function in (
            ("spectral_centroid_difference", "", "spectral_centroid"),
            ("rolloff_difference", "", "spectral_rolloff"),
        )
    ),
)
