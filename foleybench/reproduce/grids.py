"""List the rows of the paper's tables: one training run each.

The paper's names stand on the left, our reading of them on the right; where the paper leaves a row open,
``Grid.reading`` states the reading and is printed under the table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

MODEL = "foleyflow"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to train a system.

    Attributes:
        name: Part of folder and row names.
        model: Registry name of the system.
        settings: Settings that differ from the size's.
        stage: The part after which training stops; empty to train all.
        takes: Option of ``--set`` -> the run whose part of that name is used instead of training one.
    """

    name: str
    model: str = MODEL
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    stage: str = ""
    takes: Mapping[str, Variant] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GridRow:
    """One row of a table.

    Attributes:
        label: Label in our table.
        variant: The run that is scored, or None for a row that is only reported.
        reported: Label of the row in the list of published numbers, or None when the paper has no such row.
        control: The control that is scored on the run's part of that name; empty to score the system itself.
    """

    label: str
    variant: Variant | None = None
    reported: str | None = None
    control: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """One table.

    Attributes:
        number: Number of the table in the paper.
        title: Heading.
        rows: Rows in the paper's order, then ours.
        reading: Our reading of details that the paper leaves open.
        controls: Whether the control rows stand below the table.
        ladder: What bounds the rows: scored like them, shown below the table, never compared.
    """

    number: str
    title: str
    rows: tuple[GridRow, ...]
    reading: str
    controls: bool = False
    ladder: tuple[GridRow, ...] = ()


def _foleyflow(
    name: str, *, alignment: Mapping[str, str] | None = None, flow: Mapping[str, str] | None = None
) -> Variant:
    """Return a variant of the reference model; those with one alignment stage share its run."""
    changed = alignment or {}
    stage = "-".join(["alignment", *(f"{key}={value}" for key, value in sorted(changed.items()))])
    shared = Variant(name=stage, settings=changed, stage="alignment")
    return Variant(name=name, settings={**changed, **(flow or {})}, takes={"alignment": shared})


FULL = _foleyflow("full")
STATIC_LINEAR = {"condition": "static", "path": "linear"}
_NO_ALIGNMENT = {"stage1": "none"}


def _masked(ratio: str) -> GridRow:
    variant = FULL if ratio == "0.8" else _foleyflow(f"mask_{ratio}", alignment={"mask_ratio": ratio})
    return GridRow(label=f"ratio {ratio}", variant=variant, reported=f"masking ratio {ratio}")


_VIDEO = {"ImageBind": "av_contrast", "MAE": "mae", "EVA-CLIP": "image_label"}
_AUDIO = {"ImageBind": "av_contrast", "AudioMAE": "audio_mae"}


def _encoders(video: str, audio: str) -> GridRow:
    chosen = {"video_encoder": _VIDEO[video], "audio_target": _AUDIO[audio]}
    return GridRow(
        label=f"{video}-like video, {audio}-like audio",
        variant=_foleyflow(f"{_VIDEO[video]}-{_AUDIO[audio]}", alignment=chosen),
        reported=f"{video} video, {audio} audio",
    )


# What the compared systems share: one run of frame features, one of a codec, one of a flow that hears only.
_FEATURES = Variant(name="features", settings={"stage1": "cavp"}, stage="alignment")
_CODEC = Variant(name="codec", model="maskvat", stage="codec", takes={"alignment": _FEATURES})
_ON_FEATURES = {"alignment": _FEATURES}
_ON_CODES = {"alignment": _FEATURES, "codec": _CODEC}
_MAPPER = Variant(name="v2a_mapper", model="v2a_mapper", takes=_ON_FEATURES)


def _core(model: str, reported: str, takes: Mapping[str, Variant]) -> GridRow:
    variant = Variant(name=model, model=model, takes=takes)
    return GridRow(label=f"{reported.partition(' [')[0]} core", variant=variant, reported=reported)


_CORES = (
    _core("specvqgan", "SpecVQGAN [10]", _ON_FEATURES),
    _core("im2wav", "Im2Wav [46]", _ON_FEATURES),
    _core("v2a_mapper", "V2A-Mapper [52]", _ON_FEATURES),
    _core("seeing_hearing", "Seeing & Hearing [53]", {**_ON_FEATURES, "sound_text": _MAPPER, "flow": _MAPPER}),
    _core("diff_foley", "Diff-Foley [17]", _ON_FEATURES),
    _core("foleygen", "FoleyGen [19]", _ON_CODES),
    _core("maskvat", "MaskVAT [41]", _ON_CODES),
    _core("vab", "VAB [48]", _ON_CODES),
    _core("vatt", "VATT [16]", _ON_CODES),
)


def _codec(label: str, variant: Variant) -> GridRow:
    return GridRow(label=f"Real audio through {label}", variant=variant, control="codec")


def _of(model: str) -> Variant:
    return next(row.variant for row in _CORES if row.variant and row.variant.model == model)


_CODECS = (
    _codec("the residual codec (FoleyGen, MaskVAT, VAB, VATT)", _CODEC),
    _codec("the codec of patches (SpecVQGAN)", _of("specvqgan")),
    _codec("the codec of two rates (Im2Wav)", _of("im2wav")),
)


GRIDS = {
    "table1": Grid(
        number="1",
        title="Comparison",
        rows=(
            GridRow(label="Foley-Flow (ours, this corpus and size)", variant=FULL, reported="Foley-Flow (ours)"),
            *_CORES,
            GridRow(label="Foley-Flow, static condition", variant=_foleyflow("static", flow={"condition": "static"})),
            GridRow(label="Unconditional flow", variant=Variant(name="unconditional", model="unconditional")),
            GridRow(label="Pasted grains", variant=Variant(name="pasted_grains", model="pasted_grains")),
            GridRow(label="Nearest training clip", variant=Variant(name="nearest", model="nearest")),
        ),
        controls=True,
        ladder=_CODECS,
        reading=(
            "Each core keeps a system's paradigm at this size, on the same clips, frame features, mel transform, "
            "vocoder and number of examples seen; its model card says what is kept, smaller and unknown. It is not the "
            "published system: the reported block is of VGGSound with official evaluators and compares with nothing "
            "measured here. What the paper's order is compared with is the order of the paradigms here."
        ),
    ),
    "table2": Grid(
        number="2",
        title="Alignment (VAMA) and flow (GVAF)",
        rows=(
            GridRow(
                label="VAMA no, GVAF no",
                variant=Variant(name="none-static-linear", settings={**_NO_ALIGNMENT, **STATIC_LINEAR}),
                reported="VAMA no, GVAF no",
            ),
            GridRow(
                label="VAMA yes, GVAF no",
                variant=_foleyflow("static-linear", flow=STATIC_LINEAR),
                reported="VAMA yes, GVAF no",
            ),
            GridRow(
                label="VAMA no, GVAF yes",
                variant=Variant(name="none", settings=_NO_ALIGNMENT),
                reported="VAMA no, GVAF yes",
            ),
            GridRow(label="VAMA yes, GVAF yes", variant=FULL, reported="VAMA yes, GVAF yes"),
        ),
        reading=(
            "The paper does not say what generates audio without GVAF, and its first row equals Diff-Foley's row of "
            "Table 1. Here, without GVAF the flow's condition is the mean over time and its path is linear; without "
            "VAMA there is no alignment stage (`stage1=none`, see the model card). All else is equal: network, steps, "
            "data, sampling."
        ),
    ),
    "table3": Grid(
        number="3",
        title="Encoders",
        rows=tuple(_encoders(video, audio) for audio in ("ImageBind", "AudioMAE") for video in _VIDEO),
        reading=(
            "The paper's encoders cannot be trained at this size, so the same axis is measured with small encoders "
            "trained on the train split by the same kinds of objective: image against label (EVA-CLIP-like), masked "
            "frames (MAE-like), video against audio (ImageBind-like), masked spectrograms (AudioMAE-like)."
        ),
    ),
    "table4": Grid(
        number="4",
        title="Flow type",
        rows=(
            GridRow(label="DCF", variant=_foleyflow("linear", flow={"path": "linear"}), reported="DCF"),
            GridRow(label="GDCF", variant=FULL, reported="GDCF"),
        ),
        reading=(
            "The paper names neither path. DCF is read as the linear one, GDCF as the variance-preserving one (cosine "
            "and sine); both see the same noise levels and the same condition, and share the alignment stage."
        ),
    ),
    "table5": Grid(
        number="5",
        title="Masking ratio",
        rows=tuple(_masked(ratio) for ratio in ("0.3", "0.5", "0.7", "0.8", "0.9")),
        reading=(
            "The ratio holds for the examples that are masked in part; the share of examples whose audio is masked "
            "whole, as it is at generation, is the same in every row."
        ),
    ),
}  # fmt: skip
