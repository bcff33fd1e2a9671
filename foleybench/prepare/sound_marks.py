"""Find sounds that share seconds, wherever these lie in each.

The fingerprint of a whole clip differs from that of a copy that starts two seconds later. Marks do not: they are pairs
of peaks of the spectrogram, each a code of two frequencies and the time between them, and two sounds that share
seconds share many codes with one and the same shift between them (A. Wang, "An industrial-strength audio search
algorithm", ISMIR 2003).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray, FloatArray, IntArray

HOP_S = 0.016
_LEAST_RATE_HZ = 8000
_WINDOW_S = 0.064
# Between telephone limits, which every rate from 8 kHz and every codec keeps; bins of 1 / _WINDOW_S.
_BINS = slice(8, 232)
_FLOOR_DB = 60.0
# A peak is the highest of so many frames and bins around it: about 15 a second.
_AROUND = (31, 31)
_N_PARTNERS = 6
_MOST_APART = 128
_MOST_BINS = 100
# What occurs more often (a siren, a hum) says nothing about which audio it is from.
_MOST_EQUAL = 200
# Chance alone gives one or two; what is met is then compared in full, so a low number costs time only.
LEAST_AGREEING = 4


class SoundMarks(NamedTuple):
    """Pairs of peaks of one audio.

    Attributes:
        codes: Two frequencies and the time between them as one number, shape (n,) int32.
        frames: When the first of the pair is, in frames of ``HOP_S``, shape (n,) int32.
    """

    codes: npt.NDArray[np.int32]
    frames: npt.NDArray[np.int32]


class Meeting(NamedTuple):
    """Audio of an index that may share seconds with another.

    Attributes:
        place: Its place in the index.
        shift_s: How long after its start the other audio starts; negative when the other starts first.
        n_agreeing: How many marks say so.
    """

    place: int
    shift_s: float
    n_agreeing: int


def sound_marks(audio: AudioArray, rate_hz: float) -> SoundMarks:
    """Return the marks of audio: none for silence, or for what is shorter than a window.

    Args:
        audio: Mono, shape (N,).
        rate_hz: Its rate, 8 kHz or more for comparable marks.
    """
    # Late: scipy.signal takes a third of a second to import.
    from scipy.signal import resample_poly

    if len(audio) < _WINDOW_S * rate_hz or not np.abs(audio).max(initial=0.0):
        return SoundMarks(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32))
    if rate_hz >= 2 * _LEAST_RATE_HZ:
        # What lies above the bins is not looked at; without it the transforms are a tenth of the work.
        factor = int(rate_hz // _LEAST_RATE_HZ)
        audio, rate_hz = resample_poly(audio, 1, factor), rate_hz / factor
    window = round(_WINDOW_S * rate_hz)
    # The hop is no whole number of samples at every rate, and the frames must not drift.
    starts = np.round(np.arange(0.0, len(audio) - window + 1, HOP_S * rate_hz)).astype(np.int64)
    starts = starts[starts + window <= len(audio)]
    cuts = np.lib.stride_tricks.sliding_window_view(audio, window)[starts]
    spectrum = np.fft.rfft(cuts * np.hanning(window).astype(np.float32), axis=1)[:, _BINS]
    return _pairs(*_peaks(spectrum.real**2 + spectrum.imag**2))


def _peaks(power: FloatArray) -> tuple[IntArray, IntArray]:
    """Return frames and bins of the peaks, by frame."""
    # Late: scipy.ndimage takes a tenth of a second to import.
    from scipy.ndimage import maximum_filter

    if not power.size or not power.max():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    loud = power > power.max() * 10.0 ** (-_FLOOR_DB / 10.0)
    found = np.nonzero((power == maximum_filter(power, _AROUND, mode="constant")) & loud)
    return found[0].astype(np.int64), found[1].astype(np.int64)


def _pairs(frames: IntArray, bins: IntArray) -> SoundMarks:
    """Join each peak with the next few that follow it closely in time and frequency."""
    codes, starts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    n_joined = np.zeros(len(frames), dtype=np.int64)
    for step in range(1, min(4 * _N_PARTNERS, len(frames))):
        apart, higher = frames[step:] - frames[:-step], bins[step:] - bins[:-step]
        fits = (apart > 0) & (apart < _MOST_APART) & (np.abs(higher) <= _MOST_BINS) & (n_joined[:-step] < _N_PARTNERS)
        n_joined[:-step] += fits
        codes.append((bins[:-step][fits] << 15) | ((higher[fits] + _MOST_BINS) << 7) | apart[fits])
        starts.append(frames[:-step][fits])
    return SoundMarks(np.concatenate(codes).astype(np.int32), np.concatenate(starts).astype(np.int32))


class MarkIndex:
    """The marks of many sounds, to be met by one after another."""

    def __init__(self, sounds: Sequence[SoundMarks]) -> None:
        codes = np.concatenate([np.zeros(0, dtype=np.int32), *(sound.codes for sound in sounds)])
        order = np.argsort(codes, kind="stable")
        self._codes = codes[order]
        self._frames = np.concatenate([np.zeros(0, dtype=np.int32), *(sound.frames for sound in sounds)])[order]
        lengths = [len(sound.codes) for sound in sounds]
        self._places = np.repeat(np.arange(len(sounds), dtype=np.int32), lengths)[order]

    def meet(self, sound: SoundMarks) -> Iterator[Meeting]:
        """Yield the sounds of the index that agree with audio in ``LEAST_AGREEING`` marks at one shift, by place."""
        low = np.searchsorted(self._codes, sound.codes, side="left")
        n_equal = np.searchsorted(self._codes, sound.codes, side="right") - low
        n_equal[n_equal > _MOST_EQUAL] = 0
        if not n_equal.sum():
            return
        within = np.arange(n_equal.sum()) - np.repeat(np.cumsum(n_equal) - n_equal, n_equal)
        hits = np.repeat(low, n_equal) + within
        shifts = self._frames[hits].astype(np.int64) - np.repeat(sound.frames, n_equal)
        # One number for place and shift; room between places, so that neighbours in number are neighbours in shift.
        reach = int(np.abs(shifts).max()) + 2
        keys, counts = np.unique(self._places[hits].astype(np.int64) * 2 * reach + shifts + reach, return_counts=True)
        # A shift that is no whole number of frames falls on two.
        next_to = np.zeros_like(counts)
        next_to[:-1] = np.where(np.diff(keys) == 1, counts[1:], 0)
        agreeing = counts + next_to
        best: dict[int, tuple[int, int]] = {}
        for at in np.flatnonzero(agreeing >= LEAST_AGREEING):
            place, shift = divmod(int(keys[at]), 2 * reach)
            best[place] = max(best.get(place, (0, 0)), (int(agreeing[at]), shift - reach))
        for place, (n_agreeing, shift) in sorted(best.items()):
            yield Meeting(place, shift * HOP_S, n_agreeing)
