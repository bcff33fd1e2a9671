"""The sizes of Foley-Flow, and overrides from the command line."""

from __future__ import annotations

import dataclasses
from typing import Any, get_type_hints

from foleybench.errors import UnknownNameError
from foleybench.registry import unknown
from foleymodels._parts.frozen_encoders import PICTURE, SOUND
from foleymodels.foleyflow.settings import Settings


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
