"""Sizes of Foley-Flow, and overrides from the command line."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, get_type_hints

from foleybench.errors import FoleyError, UnknownNameError
from foleybench.registry import unknown
from foleymodels._cache import CacheSettings
from foleymodels._large_encoders import PICTURE, SOUND
from foleymodels._mel import MelSettings

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run uses beside the settings; does not change what the model is.

    Attributes:
        alignment: Folder of a trained alignment stage to use instead of training one.
        flow: Folder of a trained model whose flow a 1-step head is fine-tuned from, instead of training one.
        cache: Folder for decoded training data; beside the manifest by default.
        stage: ``all``, or ``alignment`` to stop after the alignment stage.
        jobs: Threads that decode; 0 is one per core.
        save_every_s: Seconds between checkpoints.
    """

    alignment: str = ""
    flow: str = ""
    cache: str = ""
    stage: str = "all"
    jobs: int = 0
    save_every_s: float = 20.0


SMALL_PICTURE = ("image_label", "mae", "av_contrast")
SMALL_SOUND = ("audio_mae", "av_contrast")
CHOICES = {
    "stage1": ("vama", "infonce", "cavp", "onset_sup", "none"),
    "none_as": ("end_to_end", "frozen"),
    "video_encoder": ("maps", *SMALL_PICTURE, *PICTURE),
    "audio_target": ("mel", *SMALL_SOUND, *SOUND),
    "encoder_weights": ("published", "random"),
    "path": ("gvp", "gvp_learned", "linear"),
    "times": ("matched", "raw"),
    "condition": ("dynamic", "static", "none"),
    "sampler": ("euler", "heun"),
    "head": ("ode", "imf", "reflow"),
    "imf_target": ("teacher", "data"),
    "optimiser": ("adamw", "adam"),
    "schedule": ("cosine", "constant"),
    "precision": ("auto", "float32", "bfloat16"),
    "stage": ("all", "alignment"),
}

_BASE = Settings(
    n_mels=80, cells=32, video_channels_1=128, video_channels_2=256,
    window_s=8.0, vama_crop_s=4.0, flow_crop_s=8.0, vama_ema=0.999,
    vama_dim=384, vama_blocks=6, vama_heads=6, vama_steps=5000, vama_batch=256, vama_rate=3e-4,
    flow_dim=512, flow_blocks=12, flow_heads=8, flow_hidden=1024, flow_steps=12000, flow_batch=256, flow_rate=2e-4,
    refine_channels=64, ema_decay=0.9995, nfe=25, guidance=4.5, vocoder_iterations=32,
    head_steps=4000, head_batch=128, head_rate=1e-4, head_guidance=4.5, reflow_pairs=20000, reflow_nfe=25,
)  # fmt: skip
_STD16K = dataclasses.replace(
    _BASE,
    video_encoder="eva02_clip_b16", audio_target="audiomae", grid_hz=8.0,
    vama_dim=768, vama_blocks=8, vama_heads=12, vama_steps=43000, vama_batch=128, vama_rate=1e-4,
    flow_dim=768, flow_heads=12, flow_hidden=1536, flow_steps=144000, flow_batch=128, flow_rate=1e-4,
    ema_decay=0.9999,
)  # fmt: skip
# tiny: minutes on a CPU. base: under an hour on one GPU. std16k: the whole of VGGSound with the sound of the field
# (16 kHz, 1024 / 256, 80 bands, 8 s). paper: the literal profile of the paper's section 4.1, with its optimiser.
SIZES = {
    "tiny": Settings(),
    "base": _BASE,
    "std16k": _STD16K,
    "paper": dataclasses.replace(
        _STD16K,
        video_encoder="eva_clip_g14",
        rate_hz=8000, n_fft=1600, hop=200, mel_window=400, n_mels=128, window_s=3.2, vama_crop_s=3.2, flow_crop_s=3.2,
        mask_ratio=0.8, full_mask_p=0.25, change_weight=0.0, optimiser="adam", schedule="constant",
    ),
}  # fmt: skip


def resolve(
    size: str,
    overrides: dict[str, str],
    *,
    steps: int | None = None,
    forced: dict[str, Any] | None = None,
    device: str = "cpu",
) -> tuple[Settings, RunOptions]:
    """Return the settings of a size with overrides applied.

    Args:
        size: Name of the size.
        overrides: ``name`` -> text, from the command line.
        steps: Number of flow steps, when given; the alignment stage is scaled alike.
        forced: Settings that make the variant what it is; the user cannot override them.
        device: Where it is trained, which decides ``precision=auto``.

    Raises:
        UnknownNameError: No such size or setting, a value of the wrong type, or an override of a forced setting.
    """
    if size not in SIZES:
        raise UnknownNameError(unknown("size", size, SIZES))
    fixed = forced or {}
    settings, options = SIZES[size], RunOptions()
    for name, text in overrides.items():
        if name in fixed:
            raise UnknownNameError(f"{name} is {fixed[name]!r} in this model; it cannot be set.")
        if name in RunOptions.__dataclass_fields__:
            options = dataclasses.replace(options, **{name: _parse(RunOptions, name, text)})
        else:
            settings = dataclasses.replace(settings, **{name: _parse(Settings, name, text)})
    if settings.precision == "auto":
        settings = dataclasses.replace(settings, precision="bfloat16" if device.startswith("cuda") else "float32")
    settings = dataclasses.replace(settings, **fixed)
    if settings.path == "gvp_learned" and settings.times == "raw":
        raise UnknownNameError("path=gvp_learned warps times by itself; it goes with times=matched only.")
    if settings.audio_target != "mel" and settings.stage1 != "vama":
        raise UnknownNameError(f"audio_target={settings.audio_target} is what stage1=vama rebuilds; leave one out.")
    return (settings if steps is None else _scaled(settings, steps)), options


def _scaled(settings: Settings, steps: int) -> Settings:
    share = steps / settings.flow_steps
    return dataclasses.replace(
        settings,
        flow_steps=steps,
        vama_steps=max(1, round(settings.vama_steps * share)),
        encoder_steps=max(1, round(settings.encoder_steps * share)),
        head_steps=max(1, round(settings.head_steps * share)),
        reflow_pairs=max(1, round(settings.reflow_pairs * share)),
    )


def _parse(owner: type, name: str, text: str) -> Any:
    hints = get_type_hints(owner)
    known = [field for field in [*Settings.__dataclass_fields__, *RunOptions.__dataclass_fields__]]
    if name not in hints:
        raise UnknownNameError(unknown("setting", name, known))
    if name in CHOICES and text not in CHOICES[name]:
        raise UnknownNameError(unknown(name, text, CHOICES[name]))
    try:
        return hints[name](text)
    except ValueError as error:
        raise UnknownNameError(f"{name}={text!r} is not a {hints[name].__name__}.") from error
