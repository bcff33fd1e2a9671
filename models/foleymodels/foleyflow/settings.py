"""Everything that decides what a trained Foley-Flow is."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from foleybench.errors import FoleyError
from foleymodels._parts.frozen_encoders import PICTURE, SOUND
from foleymodels._parts.mel import MelSettings
from foleymodels._training.decoded_data import CacheSettings

# What versions without these settings did, which may differ from what is the default now. They trained in float32 on a
# CPU (their alignment stage failed on a GPU), with AdamW and a cosine. Nothing else may be filled in: a setting that
# changed what a model is makes its older checkpoints unreadable on purpose.
EARLIER: dict[str, Any] = {"optimiser": "adamw", "schedule": "cosine", "precision": "float32"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides what a trained Foley-Flow is.

    Attributes:
        rate_hz: Sample rate of the sound.
        n_fft: FFT length of the mel transform in samples, a multiple of the hop.
        hop: Its hop in samples.
        mel_window: Length of its window in samples; 0 is the FFT's own length.
        n_mels: Its bands.
        grid_hz: Video frames per second that the network sees.
        cells: Side of the coarse map that it sees of each.
        window_s: Longest stretch processed at once at generation; longer clips are cut in windows, shorter training
            clips are completed.
        video_channels_1: Channels of the frame network's first map.
        video_channels_2: Of its second map.
        stage1: Objective of the alignment stage: ``vama`` (Eq. 4), ``infonce``, ``cavp``, ``onset_sup`` (upper bound on
            data with events), or ``none``.
        none_as: What ``none`` means: ``end_to_end`` (the network is trained by the flow's loss alone) or ``frozen`` (it
            keeps its random start).
        video_encoder: ``maps`` (a small network trained in this stage); a small frozen encoder of single frames,
            pretrained on the train split (``image_label``, ``mae``, ``av_contrast``); or a large published one
            (``eva_clip_g14``, ``eva02_clip_b16``, ``mae_b16``).
        audio_target: What ``vama`` rebuilds: ``mel`` tokens; features of a small frozen encoder of sound, pretrained
            alike (``audio_mae``, ``av_contrast``); or of a large published one (``audiomae``).
        encoder_weights: ``published``, or ``random``: the large encoders untrained, to try sizes and memory.
        encoder_dim: Width of the frozen encoders.
        encoder_steps: Optimiser steps of their pretraining.
        encoder_batch: Its clips a step.
        encoder_rate: Its peak learning rate.
        vama_dim: Width of the alignment network.
        vama_blocks: Its blocks.
        vama_heads: Its heads; half of the cross-attention ones are local.
        vama_window_s: Half width of the local heads' window.
        segment_s: Length of a masked segment.
        mask_ratio: Share of segments masked.
        full_mask_p: Share of examples whose sound is masked whole, as it is at generation.
        change_weight: Weight of the error of the sound's change from mel frame to mel frame.
        vama_crop_s: Length of the alignment stage's training examples.
        vama_steps: Optimiser steps of the alignment stage.
        vama_batch: Its batch size.
        vama_rate: Its peak learning rate.
        vama_ema: Decay of its averaged weights.
        contrast_dim: Width of the space in which ``infonce`` and ``cavp`` compare.
        cavp_window_s: Length of the windows of ``cavp``.
        cavp_windows: Windows a clip.
        cavp_shift_frames: Smallest distance of two windows of a clip in frames.
        cavp_weight: Weight of the contrast within clips.
        onset_weight: Weight of the onsets in ``onset_sup``; the classes have weight 1.
        flow_dim: Width of the flow network.
        flow_blocks: Its blocks.
        flow_heads: Its heads.
        flow_hidden: Width of its feed-forward parts.
        refine_channels: Channels of the convolutions over time and frequency that sharpen its estimate; 0 for none.
        flow_crop_s: Length of the flow stage's training examples.
        flow_steps: Optimiser steps of the flow stage.
        flow_batch: Its batch size.
        flow_rate: Its peak learning rate.
        ema_decay: Of the flow's averaged weights.
        path: ``gvp`` (GDCF), ``gvp_learned`` (the same with its sampling times warped to equal error) or ``linear``
            (DCF).
        times: ``matched`` (paths see the same noise levels and have targets of the same size) or ``raw``.
        condition: ``dynamic`` (frame by frame), ``static`` (mean over time) or ``none``.
        drop_p: Share of examples trained with the null condition.
        noise_mean: Mean of log(sigma / alpha) of training times.
        noise_spread: Its standard deviation.
        pure_noise_p: Share of training times at pure noise.
        nfe: Default number of network evaluations.
        guidance: Default guidance scale.
        sampler: ``euler`` or ``heun``.
        vocoder_iterations: Griffin-Lim iterations.
        head: ``ode`` (the flow as trained), ``imf`` (fine-tuned by improved MeanFlow) or ``reflow`` (straightened on
            its own pairs, then distilled to one step).
        head_steps: Optimiser steps of the fine-tuning.
        head_batch: Its batch size.
        head_rate: Its peak learning rate.
        head_guidance: Guidance scale that is trained into the weights.
        imf_target: ``teacher`` (the guided velocity of the trained flow) or ``data`` (the velocity of the example,
            moved by the trained flow's guidance).
        imf_same_p: Share of examples whose two times are equal: plain flow matching.
        imf_jump_p: Share of the others that go from noise to data at once.
        reflow_pairs: Pairs of noise and sound that the trained flow makes.
        reflow_nfe: Evaluations with which it makes them.
        reflow_distill_p: Last share of the steps, which train the single step alone.
        optimiser: Of all three stages: ``adamw`` (weight decay 0.01, betas 0.9 and 0.95) or ``adam`` (betas 0.9 and
            0.999).
        schedule: Of their learning rates: ``cosine`` after a warm-up, or ``constant``.
        precision: ``float32`` or ``bfloat16`` (autocast; weights stay float32); ``auto`` is bfloat16 on a GPU, and a
            checkpoint says which it was.
    """

    rate_hz: int = 16000
    n_fft: int = 1024
    hop: int = 256
    mel_window: int = 0
    n_mels: int = 64
    grid_hz: float = 25.0
    cells: int = 16
    window_s: float = 4.0
    video_channels_1: int = 32
    video_channels_2: int = 64
    stage1: str = "vama"
    none_as: str = "end_to_end"
    video_encoder: str = "maps"
    audio_target: str = "mel"
    encoder_weights: str = "published"
    encoder_dim: int = 64
    encoder_steps: int = 600
    encoder_batch: int = 32
    encoder_rate: float = 3e-3
    vama_dim: int = 96
    vama_blocks: int = 2
    vama_heads: int = 4
    vama_window_s: float = 0.5
    segment_s: float = 0.128
    mask_ratio: float = 0.8
    full_mask_p: float = 0.5
    change_weight: float = 2.0
    vama_crop_s: float = 2.08
    vama_steps: int = 900
    vama_batch: int = 16
    vama_rate: float = 3e-3
    vama_ema: float = 0.98
    contrast_dim: int = 64
    cavp_window_s: float = 0.96
    cavp_windows: int = 3
    cavp_shift_frames: int = 8
    cavp_weight: float = 1.0
    onset_weight: float = 4.0
    flow_dim: int = 96
    flow_blocks: int = 4
    flow_heads: int = 4
    flow_hidden: int = 192
    refine_channels: int = 24
    flow_crop_s: float = 2.08
    flow_steps: int = 900
    flow_batch: int = 16
    flow_rate: float = 2e-3
    ema_decay: float = 0.99
    path: str = "gvp"
    times: str = "matched"
    condition: str = "dynamic"
    drop_p: float = 0.1
    noise_mean: float = 0.4
    noise_spread: float = 1.2
    pure_noise_p: float = 0.1
    nfe: int = 8
    guidance: float = 2.5
    sampler: str = "euler"
    vocoder_iterations: int = 16
    head: str = "ode"
    head_steps: int = 600
    head_batch: int = 16
    head_rate: float = 1e-3
    head_guidance: float = 2.5
    imf_target: str = "teacher"
    imf_same_p: float = 0.5
    imf_jump_p: float = 0.5
    reflow_pairs: int = 2000
    reflow_nfe: int = 12
    reflow_distill_p: float = 0.5
    optimiser: str = "adamw"
    schedule: str = "cosine"
    precision: str = "auto"

    @classmethod
    def of_checkpoint(cls, record: dict[str, Any], folder: Path) -> Settings:
        """Return the settings that a checkpoint was trained with; ``EARLIER`` fills in what was no setting then.

        Raises:
            FoleyError: The checkpoint was written by a version that had other settings; they are named.
        """
        record = {**EARLIER, **record}
        known = {field.name for field in dataclasses.fields(cls)}
        strange = sorted(known.symmetric_difference(record))
        if strange:
            raise FoleyError(
                f"the checkpoint in {folder} was written by another version: settings {', '.join(strange)} "
                "do not agree. Train it again."
            )
        return cls(**record)

    @property
    def mel(self) -> MelSettings:
        """The mel transform."""
        return MelSettings(
            rate_hz=self.rate_hz, n_fft=self.n_fft, hop=self.hop, window=self.mel_window, n_mels=self.n_mels
        )

    @property
    def cache(self) -> CacheSettings:
        """What decides the decoded data."""
        picture = self.video_encoder if self.video_encoder in PICTURE else "maps"
        sound = self.audio_target if self.audio_target in SOUND else ""
        weights = self.encoder_weights if sound or picture != "maps" else "published"
        return CacheSettings(
            mel=self.mel, grid_hz=self.grid_hz, cells=self.cells, shortest_s=self.window_s,
            picture=picture, sound=sound, weights=weights,
        )  # fmt: skip

    @property
    def target_dim(self) -> int:
        """Numbers that ``vama`` rebuilds for a token."""
        if self.audio_target == "mel":
            return self.mel.token_dim
        return SOUND.get(self.audio_target, self.encoder_dim)

    @property
    def n_tokens(self) -> int:
        """Tokens of the longest window."""
        return round(self.window_s * self.mel.token_hz)

    @property
    def flow_tokens(self) -> int:
        """Tokens of the flow stage's training examples."""
        return round(self.flow_crop_s * self.mel.token_hz)

    @property
    def flow_frames(self) -> int:
        """Grid frames of the flow stage's training examples."""
        return round(self.flow_crop_s * self.grid_hz)

    @property
    def vama_tokens(self) -> int:
        """Tokens of the alignment stage's training examples."""
        return round(self.vama_crop_s * self.mel.token_hz)

    @property
    def vama_frames(self) -> int:
        """Grid frames of the alignment stage's training examples."""
        return round(self.vama_crop_s * self.grid_hz)

    @property
    def cavp_tokens(self) -> int:
        """Tokens of a window of ``cavp``."""
        return round(self.cavp_window_s * self.mel.token_hz)

    @property
    def cavp_frames(self) -> int:
        """Grid frames of a window of ``cavp``."""
        return round(self.cavp_window_s * self.grid_hz)

    @property
    def end_to_end(self) -> bool:
        """Whether the alignment network is trained by the flow's loss and not before it."""
        return self.stage1 == "none" and self.none_as == "end_to_end" and self.condition != "none"
