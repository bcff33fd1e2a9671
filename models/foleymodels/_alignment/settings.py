"""Define the settings of the alignment stage."""

from __future__ import annotations

import dataclasses

from foleybench.errors import UnknownNameError
from foleymodels._parts.frozen_encoders import AUDIO_ENCODERS, VIDEO_ENCODERS
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.settings import Subject, amount, choice
from foleymodels._parts.signal import SignalSettings
from foleymodels._training.decoded_data import CacheSettings, cache_settings
from foleymodels._training.settings import LoopSettings, RunOptions

SMALL_VIDEO = ("image_label", "mae", "av_contrast")
SMALL_AUDIO = ("audio_mae", "av_contrast")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlignmentSettings(Subject):
    """The settings that decide a trained alignment network, beside the signal.

    Attributes:
        video_channels_1: Channels of the frame network's first map.
        video_channels_2: Channels of its second map.
        video_channels_3: Channels of its third map.
        stage1: Objective: ``vama`` (Eq. 4), ``infonce``, ``cavp``, ``onset_sup`` (upper bound on data with events), or
            ``none``.
        none_as: Meaning of ``none``: ``end_to_end`` (the network is trained by the loss of what comes after it) or
            ``frozen`` (it keeps its random start).
        video_encoder: ``maps`` (a small network trained in this stage); a small frozen encoder of frames and their
            neighbours, pretrained on the train split (``image_label``, ``mae``, ``av_contrast``); or a large published
            one, of single frames (``eva_clip_g14``, ``eva02_clip_b16``, ``mae_b16``).
        audio_target: Target that ``vama`` rebuilds: ``mel`` tokens; features of a small frozen encoder of audio,
            pretrained alike (``audio_mae``, ``av_contrast``); or of a large published one (``audiomae``).
        encoder_weights: ``published``, or ``random``: the large encoders untrained, to try sizes and memory.
        encoder_dim: Width of the small frozen encoders.
        encoder_steps: Optimiser steps of their pretraining.
        encoder_batch: Its clips a step.
        encoder_rate: Its peak learning rate.
        vama_dim: Width of the alignment network, whatever its objective.
        vama_blocks: Its blocks.
        vama_heads: Its heads; half of the cross-attention ones are local.
        vama_window_s: Half width of the local heads' window.
        segment_s: Length of a masked segment.
        mask_ratio: Share of segments masked.
        full_mask_p: Share of examples whose audio is masked whole, as it is at generation.
        change_weight: Weight of the error of the change from mel frame to mel frame.
        level_weight: Weight of the error of the loudness's change over 64 and 256 ms.
        attack_weight: Weight of the strength of attacks, which a head of this stage reads from the decoder's state.
        mirror_p: Share of examples whose maps are seen in a mirror, in training with any objective.
        vama_crop_s: Length of training examples.
        vama_steps: Optimiser steps.
        vama_batch: Batch size.
        vama_rate: Peak learning rate.
        vama_ema: Decay of the averaged weights.
        contrast_dim: Width of the space in which ``infonce`` and ``cavp`` compare.
        cavp_window_s: Length of the windows of ``cavp``.
        cavp_windows: Windows a clip.
        cavp_shift_frames: Smallest distance of two windows of a clip in frames.
        cavp_weight: Weight of the contrast within clips.
        onset_weight: Weight of the onsets in ``onset_sup``; the classes have weight 1.
    """

    video_channels_1: int = 24
    video_channels_2: int = 48
    video_channels_3: int = 64
    stage1: str = choice("vama", "infonce", "cavp", "onset_sup", "none")
    none_as: str = choice("end_to_end", "frozen")
    video_encoder: str = choice("maps", *SMALL_VIDEO, *VIDEO_ENCODERS)
    audio_target: str = choice("mel", *SMALL_AUDIO, *AUDIO_ENCODERS)
    encoder_weights: str = choice("published", "random")
    encoder_dim: int = 64
    encoder_steps: int = amount(600)
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
    level_weight: float = 8.0
    attack_weight: float = 8.0
    mirror_p: float = 0.5
    vama_crop_s: float = 4.0
    vama_steps: int = amount(900)
    vama_batch: int = 16
    vama_rate: float = 3e-3
    vama_ema: float = 0.98
    contrast_dim: int = 64
    cavp_window_s: float = 0.96
    cavp_windows: int = 3
    cavp_shift_frames: int = 8
    cavp_weight: float = 1.0
    onset_weight: float = 4.0

    @classmethod
    def sizes(cls) -> dict[str, AlignmentSettings]:
        """Return the settings of every size."""
        base = cls(
            video_channels_1=64, video_channels_2=128, video_channels_3=256, vama_crop_s=4.0, vama_ema=0.999,
            vama_dim=384, vama_blocks=6, vama_heads=6, vama_steps=5000, vama_batch=256, vama_rate=3e-4,
        )  # fmt: skip
        std16k = dataclasses.replace(
            base, video_encoder="eva02_clip_b16", audio_target="audiomae",
            vama_dim=768, vama_blocks=8, vama_heads=12, vama_steps=43000, vama_batch=128, vama_rate=1e-4,
        )  # fmt: skip
        paper = dataclasses.replace(
            std16k,
            video_encoder="eva_clip_g14",
            vama_crop_s=3.2,
            mask_ratio=0.8,
            full_mask_p=0.25,
            change_weight=0.0,
            level_weight=0.0,
            attack_weight=0.0,
        )
        return {"tiny": cls(), "base": base, "std16k": std16k, "paper": paper}

    def check(self) -> None:
        """Refuse a target that the objective does not rebuild."""
        if self.audio_target != "mel" and self.stage1 != "vama":
            raise UnknownNameError(f"audio_target={self.audio_target} is what stage1=vama rebuilds; leave one out.")

    def target_dim(self, mel: MelSettings) -> int:
        """Return how many numbers ``vama`` rebuilds for a token."""
        if self.audio_target == "mel":
            return mel.token_dim
        return AUDIO_ENCODERS.get(self.audio_target, self.encoder_dim)

    def cache(self, signal: SignalSettings) -> CacheSettings:
        """Return the settings that decide the decoded data, which includes large encoders' features."""
        video = self.video_encoder if self.video_encoder in VIDEO_ENCODERS else "maps"
        audio = self.audio_target if self.audio_target in AUDIO_ENCODERS else ""
        weights = self.encoder_weights if audio or video != "maps" else "published"
        return dataclasses.replace(cache_settings(signal), video=video, audio=audio, weights=weights)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageSettings:
    """Everything that decides a trained alignment stage."""

    signal: SignalSettings
    alignment: AlignmentSettings
    loop: LoopSettings

    @property
    def cache(self) -> CacheSettings:
        """The settings that decide the decoded data."""
        return self.alignment.cache(self.signal)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """The settings that an alignment network is built from."""

    signal: SignalSettings
    alignment: AlignmentSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageOptions(RunOptions):
    """Options of a run with an alignment stage.

    Attributes:
        alignment: Folder of a trained alignment stage to use instead of training one.
    """

    alignment: str = ""
