"""Define the settings of mel tokens and frame grid."""

from __future__ import annotations

import dataclasses

from foleymodels._parts.mel import MelSettings
from foleymodels._parts.settings import Subject


@dataclasses.dataclass(frozen=True, kw_only=True)
class SignalSettings(Subject):
    """Settings of audio, video, and the vocoder without training.

    Attributes:
        rate_hz: Sample rate of the audio.
        n_fft: FFT length of the mel transform in samples, a multiple of the hop.
        hop: Its hop in samples.
        mel_window: Length of its window in samples; 0 is the FFT's own length.
        n_mels: Its bands.
        grid_hz: Video frames per second for networks.
        cells: Side of the coarse map of a frame.
        window_s: Longest stretch processed at once at generation; longer clips are cut in windows, shorter training
            clips are completed.
        vocoder_iterations: Griffin-Lim iterations.
    """

    rate_hz: int = 16000
    n_fft: int = 1024
    hop: int = 256
    mel_window: int = 0
    n_mels: int = 64
    grid_hz: float = 25.0
    cells: int = 32
    window_s: float = 4.0
    vocoder_iterations: int = 16

    @classmethod
    def sizes(cls) -> dict[str, SignalSettings]:
        """Return the settings of every size."""
        base = cls(n_mels=80, window_s=8.0, vocoder_iterations=32)
        std16k = dataclasses.replace(base, grid_hz=8.0)
        paper = dataclasses.replace(std16k, rate_hz=8000, n_fft=1600, hop=200, mel_window=400, n_mels=128, window_s=3.2)
        return {"tiny": cls(), "base": base, "std16k": std16k, "paper": paper}

    @property
    def mel(self) -> MelSettings:
        """The mel transform."""
        return MelSettings(
            rate_hz=self.rate_hz, n_fft=self.n_fft, hop=self.hop, window=self.mel_window, n_mels=self.n_mels
        )

    @property
    def n_tokens(self) -> int:
        """Mel tokens of the longest window."""
        return self.tokens(self.window_s)

    def tokens(self, seconds: float) -> int:
        """Return how many mel tokens last some seconds."""
        return round(seconds * self.mel.token_hz)

    def frames(self, seconds: float) -> int:
        """Return how many frames of the grid last some seconds."""
        return round(seconds * self.grid_hz)
