"""Find stretches of audio in a collection, by spectrogram and waveform."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray, FloatArray, IntArray
from foleybench.encoders._inputs.sound_patches import HOP, WINDOW, sound_patches

# Windows of the audio that is looked up start every 64 ms.
QUERY_EVERY = 4
# A window that is found this well is a copy. Of true audio that is not in SynthFoley's train split 0.3 % of the windows
# are, nearly all of struck bars with one strong partial; at 0.9 it would be 3.6 %.
COPIED = 0.97
_CANDIDATES = 5
# A window lies between two patches of the collection, at most half a hop from the nearer one.
_REACH = 2 * HOP
_STRETCH = 256
_STRETCHES = 256
# At least the longer of the two: the wrapped lags lie beyond those that are read.
_FFT = 4096


@dataclasses.dataclass(frozen=True, kw_only=True)
class AudioIndex:
    """A collection of audio that can be searched.

    Attributes:
        audio: All clips end to end at ``RATE_HZ``, each scaled to full scale and followed by ``WINDOW`` of silence,
            shape (N,) int16.
        places: First sample of each patch in ``audio``, shape (n,) int64.
        codes: The patches on the axes, unit vectors, shape (n, k) float16.
        mean: Subtracted from a patch, shape (d,) float32.
        axes: Principal axes of the patches, shape (d, k) float32.
    """

    audio: npt.NDArray[np.int16]
    places: IntArray
    codes: npt.NDArray[np.float16]
    mean: npt.NDArray[np.float32]
    axes: npt.NDArray[np.float32]

    @functools.cached_property
    def _codes32(self) -> npt.NDArray[np.float32]:
        """The codes as they are multiplied: converting them for every audio took two fifths of its time."""
        return self.codes.astype(np.float32)

    def correlations(self, audio: AudioArray) -> npt.NDArray[np.float32]:
        """Return how well each audible window of audio is found in the collection.

        Args:
            audio: Mono at ``RATE_HZ``, shape (N,).

        Returns:
            Largest magnitude of the normalised cross-correlation of the window's waveform with the collection's, over
            the five places whose spectrogram is most alike (each in another stretch) and 32 ms around them; shape
            (windows,), 0 to 1.
        """
        found = sound_patches(audio, every=QUERY_EVERY)
        if not len(found.starts) or not len(self.places):
            return np.zeros(len(found.starts), dtype=np.float32)
        padded = np.concatenate([audio, np.zeros(WINDOW, dtype=np.float32)])
        windows = np.stack([padded[start : start + WINDOW] for start in found.starts])
        best = np.zeros(len(windows))
        for candidates in self._nearest(project(found.values, self.mean, self.axes)).T:
            best = np.maximum(best, _correlate(windows, self._around(self.places[candidates])))
        return best.astype(np.float32)

    def _nearest(self, queries: npt.NDArray[np.float32]) -> IntArray:
        """Return the patch most alike in each of the five stretches that hold the most alike ones.

        A stretch is ``_STRETCH`` patches, about a clip: the five are not neighbours of one another.

        Returns:
            Rows, shape (queries, at most five).
        """
        highest, rows = [], []
        for start in range(0, len(self.codes), _STRETCH * _STRETCHES):
            alike = queries @ self._codes32[start : start + _STRETCH * _STRETCHES].T
            edges = np.arange(0, alike.shape[1], _STRETCH)
            highest.append(np.maximum.reduceat(alike, edges, axis=1))
            cut = [alike[:, edge : edge + _STRETCH].argmax(axis=1) + edge + start for edge in edges]
            rows.append(np.stack(cut, axis=1))
        order = np.argsort(-np.concatenate(highest, axis=1), axis=1, kind="stable")[:, :_CANDIDATES]
        found: IntArray = np.take_along_axis(np.concatenate(rows, axis=1), order, axis=1)
        return found

    def _around(self, places: IntArray) -> FloatArray:
        """Return the audio at some places with ``_REACH`` samples to each side, shape (places, samples)."""
        at = places[:, None] + np.arange(-_REACH, WINDOW + _REACH)
        inside = (at >= 0) & (at < len(self.audio))
        return np.where(inside, self.audio[np.clip(at, 0, len(self.audio) - 1)], 0).astype(np.float64)


def project(
    patches: npt.NDArray[np.float32], mean: npt.NDArray[np.float32], axes: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return patches (n, d) on axes (d, k) as unit vectors, shape (n, k)."""
    found = (patches - mean) @ axes
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _correlate(windows: npt.NDArray[np.float32], around: FloatArray) -> FloatArray:
    """Return the largest magnitude of the normalised cross-correlation of each row, shape (rows,).

    First differences are compared: else the strong low partials alone decide.
    """
    short, long = np.diff(windows.astype(np.float64), axis=1), np.diff(around, axis=1)
    spectrum = np.fft.rfft(long, _FFT, axis=1) * np.conj(np.fft.rfft(short, _FFT, axis=1))
    n_lags = long.shape[1] - short.shape[1] + 1
    products = np.fft.irfft(spectrum, _FFT, axis=1)[:, :n_lags]
    sums = np.cumsum(np.pad(long**2, ((0, 0), (1, 0))), axis=1)
    energy = sums[:, short.shape[1] :] - sums[:, :n_lags]
    whole = (short**2).sum(axis=1, keepdims=True)
    # A place that is all but silent agrees with anything.
    loud = energy > 1e-9 * np.maximum(sums[:, -1:], 1e-30)
    norm = np.sqrt(np.where(loud, energy, 1.0) * np.maximum(whole, 1e-30))
    return np.asarray(np.max(np.where(loud, np.abs(products) / norm, 0.0), axis=1).clip(0.0, 1.0), dtype=np.float64)
