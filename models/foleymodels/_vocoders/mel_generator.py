"""Generate audio for any system that makes mel tokens.

The system is one function from clips to mel tokens. The parts that all systems share are here: clips of one length form
a batch, long clips are cut in windows, a vocoder turns tokens into audio, and the audio has exactly as many samples as
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from foleybench.api.model import BuildContext, require_usable
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError
from foleymodels._parts.draws import ClipDraws, Draws
from foleymodels._parts.signal import SignalSettings
from foleymodels._parts.windows import Windows
from foleymodels._vocoders.choose import vocoder_of

# Mel tokens have about unit variance over the training data.
MOST_SPREADS = 100.0
# Largest magnitude before clipping to full scale: 60 dB over it. The loudest tokens give 30 dB.
MOST_SAMPLE = 1000.0
MakeTokens = Callable[[Sequence[Clip], Windows, Draws], Tensor]


class MelGenerator:
    """Audio from a function that makes mel tokens.

    Attributes:
        rate_hz: Sample rate of the audio.
        nfe: Network evaluations per clip.
        guidance: Guidance scale at sampling, or None.
        sampler: How a flow is integrated, or None.
        level_share: How far loudness is drawn towards that of a flow's first estimate, 0 to 1; None without a flow.
        n_parameters: Numbers in all networks.
        vocoder: Name of the vocoder.
    """

    def __init__(
        self,
        make: MakeTokens,
        signal: SignalSettings,
        context: BuildContext,
        *,
        n_parameters: int,
        nfe: int,
        guidance: float | None = None,
        sampler: str | None = None,
        level_share: float | None = None,
    ) -> None:
        """Take the function that makes tokens.

        Args:
            make: From clips of one length, the windows that their tokens are cut in, and a random generator to tokens
                of shape (n_clips, n_tokens, token_dim). A network of short stretches works on ``windows.split``, and
                ``windows.merge`` cross-fades its windows: once at the end, or at every step of a sampler.
            signal: The tokens' settings; long clips get windows of at most ``signal.window_s``.
            context: Names the vocoder.
            n_parameters: Numbers in all networks.
            nfe: Network evaluations per clip.
            guidance: Guidance scale at sampling, or None.
            sampler: How a flow is integrated, or None.
            level_share: How far loudness is drawn towards that of a flow's first estimate, 0 to 1, or None.

        Raises:
            FoleyError: The named vocoder cannot be read, or is for other mel settings.
        """
        self._make, self._signal = make, signal
        self._vocoder = vocoder_of(context, signal.mel, signal.vocoder_iterations)
        self.vocoder = self._vocoder.name
        self.rate_hz, self.n_parameters = signal.rate_hz, n_parameters
        self.nfe, self.guidance, self.sampler, self.level_share = nfe, guidance, sampler, level_share

    def generate(self, clips: Sequence[Clip], rng: np.random.Generator) -> list[AudioArray]:
        """Make audio; clips of one length are processed as one batch, in the order of the list.

        Raises:
            MediaError: ``not_finite``: tokens of the system, or samples of the vocoder, are not finite or far too
                large.
        """
        return self._by_length(clips, lambda group: rng)

    def generate_batch(self, clips: Sequence[Clip], rngs: Sequence[np.random.Generator]) -> list[AudioArray]:
        """Make audio as ``generate`` does, with each clip's own source of randomness.

        Raises:
            MediaError: As in ``generate``.
        """
        return self._by_length(clips, lambda group: ClipDraws([rngs[index] for index in group]))

    def _by_length(self, clips: Sequence[Clip], draws_of: Callable[[list[int]], Draws]) -> list[AudioArray]:
        made: dict[int, AudioArray] = {}
        lengths = [Clock(clip.duration_s).samples(self.rate_hz) for clip in clips]
        for n_samples in dict.fromkeys(lengths):
            group = [index for index, length in enumerate(lengths) if length == n_samples]
            audio = self._batch([clips[index] for index in group], n_samples, draws_of(group))
            made |= zip(group, audio, strict=True)
        return [made[index] for index in range(len(clips))]

    @torch.inference_mode()
    def _batch(self, clips: Sequence[Clip], n_samples: int, rng: Draws) -> list[AudioArray]:
        mel = self._signal.mel
        windows = Windows.cover(mel.n_tokens(n_samples), self._signal.n_tokens)
        tokens = self._make(clips, windows, rng)
        wanted = (len(clips), windows.n, mel.token_dim)
        if tokens.shape != wanted:
            raise FoleyError(f"mel tokens of shape {tuple(tokens.shape)} were made; {wanted} are wanted.")
        # Checked before the vocoder, which turns NaN into silence and bounds large values.
        require_usable(tokens.numpy(force=True), MOST_SPREADS, "mel tokens (standard deviations)")
        audio = self._vocoder(tokens, n_samples).numpy()
        require_usable(audio, MOST_SAMPLE, "samples")
        audio = audio.clip(-1.0, 1.0)
        return [np.ascontiguousarray(one) for one in audio]
