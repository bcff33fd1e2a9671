"""Our onset detector: when sounds start. No weights.

Layers:
    times_s: (n,) float64, increasing: seconds from the start of the clip; n varies from clip to clip.
    strengths: (n,) float64: mean rise over the bands in dB at each onset.
    inner_times_s: (m,) float64, increasing: as ``times_s``, but nothing is known of before the start of the file.

``times_s`` assumes silence before the file: right where events are known exactly and one may stand at 0, as in
SynthFoley. A file of real audio is cut out of something longer: its start is no event, and steady audio has no onset.
``inner_times_s`` ignores rises in the first 50 ms, which also hold the fades of decoders and vocoders, and keeps the
start's rise out of the threshold for the others.

Rise of a log-mel spectrogram (40 bands, 5 ms apart) over what was there 15 ms ago in the same or a neighbouring band
(so that a gliding tone is no onset), averaged over bands; peaks above an adaptive threshold; each peak is then moved to
the millisecond where the energy of the next 10 ms exceeds that of the last 10 ms most. The dynamic range is taken from
the clip's own maximum, so gain changes nothing. The last 16 ms of audio are not searched.

Sources: Böck and Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013 (the rise); the rest is
ours.

Changes: 2 ``inner_times_s`` joins the others, which stay as they were.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter1d, median_filter

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.clips import AudioArray, FloatArray, IntArray
from foleybench.encoders._inputs.spectra import MelGrid, decibels, mel_power

RATE_HZ = 16000
GRID = MelGrid(rate_hz=RATE_HZ, window=512, hop=80, n_bands=40, low_hz=60.0, high_hz=8000.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetectorSettings:
    """Constants of the detector, tuned on the validation split of SynthFoley 1.

    Attributes:
        range_db: Levels further than this below the clip's loudest band are taken as equal.
        silence_db: A clip whose loudest band is below this holds no onset.
        lag: Frames between the two spectra that are compared.
        context_s: Length of the window of the local median.
        threshold_db: A peak must exceed the local median by this.
        share: A peak must also exceed the local median by this share of the clip's strongest peaks.
        apart_s: Of two peaks closer than this the stronger one counts.
        search_s: How far a peak may be moved to the sharpest rise.
        rise_s: Length of the two stretches whose energies are compared then.
        start_s: Length of the start of a file in which no onset is looked for when the audio before is unknown.
    """

    range_db: float = 50.0
    silence_db: float = -90.0
    lag: int = 3
    context_s: float = 0.25
    threshold_db: float = 3.0
    share: float = 0.12
    apart_s: float = 0.05
    search_s: float = 0.03
    rise_s: float = 0.01
    start_s: float = 0.05


SETTINGS = DetectorSettings()


class FoundOnsets(NamedTuple):
    """Onsets of audio.

    Attributes:
        times_s: Increasing, shape (n,).
        strengths: Mean rise over the bands in dB, shape (n,).
    """

    times_s: FloatArray
    strengths: FloatArray


def detect(audio: AudioArray, settings: DetectorSettings = SETTINGS) -> FoundOnsets:
    """Find onsets, with silence before the start.

    Args:
        audio: Shape (N,) at 16 kHz.
        settings: Constants of the detector.
    """
    return _find(audio, _rises(audio, settings), settings)


def detect_inner(audio: AudioArray, settings: DetectorSettings = SETTINGS) -> FoundOnsets:
    """Find onsets, with nothing known of before the start: none is earlier than ``settings.start_s``.

    Args:
        audio: Shape (N,) at 16 kHz.
        settings: Constants of the detector.
    """
    return _find_inner(audio, _rises(audio, settings), settings)


def _find_inner(audio: AudioArray, rise: FloatArray, settings: DetectorSettings) -> FoundOnsets:
    first = round(settings.start_s * RATE_HZ / GRID.hop)
    times_s, strengths = _find(audio, np.concatenate([np.zeros(min(first, len(rise))), rise[first:]]), settings)
    later = times_s >= settings.start_s
    return FoundOnsets(times_s[later], strengths[later])


def _rises(audio: AudioArray, settings: DetectorSettings) -> FloatArray:
    """Mean rise over the bands in dB, frame by frame; all zero in audio that is silent."""
    levels = decibels(mel_power(audio, GRID), -200.0)
    top = levels.max()
    if top < settings.silence_db:
        return np.zeros(len(levels))
    rise = _rise(np.maximum(levels, top - settings.range_db), settings.lag)
    # A tone that is cut off by the end of the file clicks in the windows that reach over it: not an onset.
    rise[max(1, (len(audio) - GRID.window // 2) // GRID.hop + 1) :] = 0.0
    return rise


def _find(audio: AudioArray, rise: FloatArray, settings: DetectorSettings) -> FoundOnsets:
    peaks = _peaks(rise, settings)
    times = _sharpen(audio, peaks * GRID.hop, settings)
    order = np.argsort(times, kind="stable")
    return FoundOnsets(times[order], rise[peaks][order])


def _rise(levels: FloatArray, lag: int) -> FloatArray:
    """Mean rise over bands against the louder neighbour ``lag`` frames ago; before the start there is silence."""
    before = np.full_like(levels, levels.min())
    before[lag:] = maximum_filter1d(levels, 3, axis=1)[:-lag] if len(levels) > lag else before[lag:]
    return np.asarray(np.maximum(levels - before, 0.0).mean(axis=1), dtype=np.float64)


def _peaks(rise: FloatArray, settings: DetectorSettings) -> IntArray:
    """Indices of frames that are the largest near them and stand out from the local median and from the clip."""
    frames_hz = RATE_HZ / GRID.hop
    near = 2 * round(settings.apart_s * frames_hz / 2) + 1
    context = 2 * round(settings.context_s * frames_hz / 2) + 1
    excess = rise - median_filter(rise, context, mode="constant")
    strongest = float(np.quantile(rise, 0.995))
    wanted = max(settings.threshold_db, settings.share * strongest)
    peaks = np.flatnonzero((rise == maximum_filter1d(rise, near)) & (excess >= wanted))
    keep = np.ones(len(peaks), dtype=bool)
    keep[1:] = np.diff(peaks) > near // 2
    return peaks[keep]


def _sharpen(audio: AudioArray, samples: IntArray, settings: DetectorSettings) -> FloatArray:
    """Move each peak to the sample where energy jumps most, on a grid of 1 ms; return seconds."""
    step = RATE_HZ // 1000
    span, reach = round(settings.rise_s * RATE_HZ), round(settings.search_s * RATE_HZ)
    steep = np.diff(audio.astype(np.float64), prepend=0.0)  # the jump is sharper in high frequencies
    energy = np.concatenate([np.zeros(span + 1), np.cumsum(steep**2), np.full(span, 0.0)])
    energy[len(steep) + span + 1 :] = energy[len(steep) + span]
    floor = max(float(energy[-1]) / max(len(steep), 1) * span * 1e-4, 1e-20)
    out = np.empty(len(samples))
    for index, sample in enumerate(samples):
        places = np.arange(max(0, sample - reach), min(len(steep), sample + reach) + 1, step)
        after = energy[places + 2 * span] - energy[places + span]
        before = energy[places + span] - energy[places]
        jump = np.log((after + floor) / (before + floor))
        out[index] = places[int(np.argmax(jump))] / RATE_HZ
    return out


def _features(signal: Signal) -> Features:
    rise = _rises(signal.audio, SETTINGS)
    onsets, inner = _find(signal.audio, rise, SETTINGS), _find_inner(signal.audio, rise, SETTINGS)
    return {"times_s": onsets.times_s, "strengths": onsets.strengths, "inner_times_s": inner.times_s}


def _build(device: str) -> Encode:
    return one_by_one(_features)


ENCODER = Encoder(
    version=2,
    rate_hz=RATE_HZ,
    layers={"times_s": (ANY,), "strengths": (ANY,), "inner_times_s": (ANY,)},
    licence="MIT",
    source="foleybench; rise after Böck and Widmer, DAFx 2013",
    build=_build,
)
