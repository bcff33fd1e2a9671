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
        block: Rows are compared with rows of the same block alone, which answer one question.
        unranked: Why the row is shown and never compared; empty for a row that is.
        guidance: Guidance scale at sampling, where the search took another than the model's own.
    """

    label: str
    variant: Variant | None = None
    reported: str | None = None
    control: str = ""
    block: str = ""
    unranked: str = ""
    guidance: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """One table.

    Attributes:
        number: Number of the table in the paper; empty for a table of ours.
        title: Heading.
        rows: Rows in the paper's order, then ours.
        reading: Our reading of details that the paper leaves open.
        controls: Whether the control rows stand below the table.
        ladder: What bounds the rows: scored like them, shown below the table, never compared.
        picture: Whether the rows are drawn: quality against speed, timing against semantics.
        copying: Whether it is measured how much of each row's audio is training audio.
    """

    number: str
    title: str
    rows: tuple[GridRow, ...]
    reading: str
    controls: bool = False
    ladder: tuple[GridRow, ...] = ()
    picture: bool = False
    copying: bool = False

    @property
    def heading(self) -> str:
        """Heading of the page."""
        return f"Table {self.number}: {self.title}" if self.number else self.title


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


# Eq. 4 and nothing else: the parts of the loss that our alignment stage has beside it are left out.
_EQ_4 = {"change_weight": "0", "level_weight": "0", "attack_weight": "0"}
_RATIOS = ("0.3", "0.5", "0.7", "0.8", "0.9")


def _masked(ratio: str, full_mask_p: str) -> GridRow:
    chosen = {**_EQ_4, "mask_ratio": ratio, "full_mask_p": full_mask_p}
    literal = full_mask_p == "0"
    return GridRow(
        label=f"ratio {ratio}" if literal else f"ratio {ratio}, half of the examples masked whole",
        variant=_foleyflow(f"mask_{ratio}_whole_{full_mask_p}", alignment=chosen),
        reported=f"masking ratio {ratio}" if literal else None,
        block="The ratio is the ratio (`full_mask_p=0`)" if literal else "As the model is trained (`full_mask_p=0.5`)",
    )


_VIDEO = {"ImageBind": "av_contrast", "MAE": "mae", "EVA-CLIP": "image_label"}
_AUDIO = {"ImageBind": "av_contrast", "AudioMAE": "audio_mae"}
_SEES_LABELS = "its video encoder is trained on the labels that class accuracy judges"


def _encoders(video: str, audio: str) -> GridRow:
    chosen = {"video_encoder": _VIDEO[video], "audio_target": _AUDIO[audio]}
    return GridRow(
        label=f"{video}-like video, {audio}-like audio",
        variant=_foleyflow(f"{_VIDEO[video]}-{_AUDIO[audio]}", alignment=chosen),
        reported=f"{video} video, {audio} audio",
        unranked=_SEES_LABELS if _VIDEO[video] == "image_label" else "",
    )


# What the compared systems share: the frame features of Foley-Flow's alignment stage, and a codec of each kind. On
# features of their own (`stage1=cavp`), which hardly learn timing in these steps, rows would differ by features.
_ON_FEATURES = FULL.takes
_AS_FULL = {"stage1": "vama"}
_CODEC, _PATCHES, _TWO_RATES = (
    Variant(name=name, model=model, settings=_AS_FULL, stage="codec", takes=_ON_FEATURES)
    for name, model in (("codec", "maskvat"), ("codec_patches", "specvqgan"), ("codec_two_rates", "im2wav"))
)
_ON_CODES, _ON_PATCHES, _ON_TWO_RATES = ({**_ON_FEATURES, "codec": codec} for codec in (_CODEC, _PATCHES, _TWO_RATES))
PASTED_GRAINS = GridRow(label="Pasted grains", variant=Variant(name="pasted_grains", model="pasted_grains"))
_NEAREST = Variant(name="nearest", model="nearest", takes=_ON_FEATURES)
_MAPPER = Variant(name="v2a_mapper", model="v2a_mapper", settings=_AS_FULL, takes=_ON_FEATURES)


def _core(model: str, reported: str, takes: Mapping[str, Variant], guidance: float | None = None) -> GridRow:
    variant = Variant(name=model, model=model, settings=_AS_FULL, takes=takes)
    label = f"{reported.partition(' [')[0]} core"
    return GridRow(label=label, variant=variant, reported=reported, guidance=guidance)


def _by_default(row: GridRow) -> GridRow:
    """Return a core's row with the model's own guidance, where the search of settings took another for Table 1."""
    label, why = f"{row.label}, default guidance", "the search of settings took another guidance for this system"
    return dataclasses.replace(row, label=label, reported=None, unranked=why, guidance=None)


_CORES = (
    _core("specvqgan", "SpecVQGAN [10]", _ON_PATCHES),
    _core("im2wav", "Im2Wav [46]", _ON_TWO_RATES),
    _core("v2a_mapper", "V2A-Mapper [52]", _ON_FEATURES, guidance=1.25),
    _core("seeing_hearing", "Seeing & Hearing [53]", {**_ON_FEATURES, "sound_text": _MAPPER, "flow": _MAPPER}),
    _core("diff_foley", "Diff-Foley [17]", _ON_FEATURES),
    _core("foleygen", "FoleyGen [19]", _ON_CODES),
    _core("maskvat", "MaskVAT [41]", _ON_CODES),
    _core("vab", "VAB [48]", _ON_CODES),
    _core("vatt", "VATT [16]", _ON_CODES),
)


def _codec(label: str, variant: Variant) -> GridRow:
    return GridRow(label=f"Real audio through {label}", variant=variant, control="codec")


def _changed(model: str, label: str, takes: Mapping[str, Variant], **settings: str) -> GridRow:
    """Return a row of a compared system with other settings; the system of Table 1 where there are none."""
    name = "-".join([model, *(f"{key}-{value}" for key, value in sorted(settings.items()))])
    return GridRow(label=label, variant=Variant(name=name, model=model, settings={**_AS_FULL, **settings}, takes=takes))


_CODECS = (
    _codec("the residual codec (FoleyGen, MaskVAT, VAB, VATT)", _CODEC),
    _codec("the codec of patches (SpecVQGAN)", _PATCHES),
    _codec("the codec of two rates (Im2Wav)", _TWO_RATES),
)

_MATCHED = "Matched noise levels and targets (`times=matched`)"
_RAW = "As the paths come (`times=raw`)"

GRIDS = {
    "table1": Grid(
        number="1",
        title="Comparison",
        rows=(
            GridRow(label="Foley-Flow (ours, this corpus and size)", variant=FULL, reported="Foley-Flow (ours)"),
            *_CORES,
            *(_by_default(row) for row in _CORES if row.guidance is not None),
            GridRow(label="Foley-Flow, static condition", variant=_foleyflow("static", flow={"condition": "static"})),
            GridRow(label="Unconditional flow", variant=Variant(name="unconditional", model="unconditional")),
            PASTED_GRAINS,
            GridRow(label="Nearest training clip", variant=_NEAREST),
        ),
        controls=True,
        ladder=_CODECS,
        picture=True,
        copying=True,
        reading=(
            "Each core keeps a system's paradigm at this size, on the same clips, mel transform and vocoder, and sees "
            "as many examples in the stage that makes the audio; what V2A-Mapper (mapper, sound-text model), Seeing & "
            "Hearing (aligner), Diff-Foley (judge) and VAB (retrieval) train besides sees more (numbers: "
            "`models/foleymodels/_systems/MODEL_CARD.md`). Its model card says what is kept, smaller and unknown. The "
            "features are those that Foley-Flow's alignment stage learned: for every mel token a video feature and an "
            "audio plan. All cores "
            "have them from the same network, and not all read both. Writers of codes (SpecVQGAN, Im2Wav, FoleyGen) "
            "have the video feature alone, as in the tables `condition_rate` and `visual_mask`, where a prefix or a "
            "mask hides frames that the plan, which has seen the whole clip, would tell; in this table nothing is "
            "hidden from them, and they lack the plan all the same. The others have both, Diff-Foley, VAB and VATT at "
            "few tokens a second, which can then tell more of the timing than the picture at that moment. So rows "
            "differ by what makes audio of the features, and some by the plan: what it is worth was not measured. "
            "Diff-Foley's own first stage (`stage1=cavp`) is left out. Settings are the models' own, but where the "
            "search on the validation split (`search.md`) took another by its rule: V2A-Mapper's guidance. A core is "
            "not the published system: the reported block is of VGGSound with official evaluators and compares with "
            "nothing measured here. What the paper's order is compared with is the order of the paradigms here."
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
            "VAMA both networks are trained by the flow's loss alone (`stage1=none`). Matched: data, sampling, "
            "optimiser steps (those of both stages together), the learning rate of each network, standardised "
            "conditions, and a window of the same length around every crop. Not matched: without VAMA each network is "
            "trained in every step, so it sees as many batches as both stages together, twice what either network "
            "sees with VAMA where the stages are equally long, and a step costs about as much as one of each stage; "
            "there is one warm-up and one cosine over all steps instead of two, and one clipped gradient; the "
            "alignment network's weights are averaged with the flow's decay; and the standardisation follows "
            "conditions that are still changing; half of the examples are seen in a mirror, by the flow too. The "
            "number of batches favours the rows without VAMA."
        ),
    ),
    "table3": Grid(
        number="3",
        title="Encoders",
        rows=tuple(_encoders(video, audio) for audio in ("ImageBind", "AudioMAE") for video in _VIDEO),
        reading=(
            "The paper's encoders cannot be trained at this size, so the same axis is measured with small encoders "
            "trained on the train split by the same kinds of objective: image against label (EVA-CLIP-like), masked "
            "frames (MAE-like), video against audio (ImageBind-like), masked spectrograms (AudioMAE-like). Every video "
            "encoder has the same network and sees a frame's colours and its motion against two frames to either side; "
            "the paper's see single images. Rows of the EVA-CLIP-like encoder are shown and not ranked: it is trained "
            "on the labels that class metrics judge, and here no other text stands beside a video. So the paper's "
            "order is asked of its other four rows."
        ),
    ),
    "table4": Grid(
        number="4",
        title="Flow type",
        rows=(
            GridRow(
                label="DCF", variant=_foleyflow("linear", flow={"path": "linear"}), reported="DCF", block=_MATCHED
            ),
            GridRow(label="GDCF", variant=FULL, reported="GDCF", block=_MATCHED),
            GridRow(
                label="DCF, raw times",
                variant=_foleyflow("linear-raw", flow={"path": "linear", "times": "raw"}),
                block=_RAW,
            ),
            GridRow(label="GDCF, raw times", variant=_foleyflow("gvp-raw", flow={"times": "raw"}), block=_RAW),
        ),
        reading=(
            "The paper names neither path. DCF is read as the linear one, GDCF as the variance-preserving one (cosine "
            "and sine); all rows have the same condition and share the alignment stage. Matched rows see the same "
            "noise levels in training, take their steps at the same noise levels, and have targets of the same size. "
            "What is left between them is small, because the network estimates the data, and a step mixes estimates of "
            "data and noise anew: the weight of a noise level in the loss differs by at most a factor of two "
            "((1 + s)^2 / 2 for DCF, 1 + s^2 for GDCF, s being alpha / sigma), and so does the mean square of the "
            "network's input. So the first block can show whether that weight and size matter, and nothing else about "
            "the paths. The second block draws one distribution of flow times and takes equally long steps in them, "
            "whatever noise levels follow: it shows what the levels that a path happens to visit are worth, which any "
            "path can have."
        ),
    ),
    "table5": Grid(
        number="5",
        title="Masking ratio",
        rows=tuple(_masked(ratio, full_mask_p) for full_mask_p in ("0", "0.5") for ratio in _RATIOS),
        reading=(
            "All rows are trained by Eq. 4 alone (`change_weight`, `level_weight` and `attack_weight` are 0). In the "
            "first block the ratio is the share of the audio that is masked, and no example is masked whole, although "
            "at generation all of it is. In the second block a half of the examples is masked whole, so that 0.3, 0.5, "
            "0.7, 0.8, 0.9 mask 0.65, 0.75, 0.85, 0.9, 0.95 of the audio on average. The paper's order is asked of the "
            "first block."
        ),
    ),
    "condition_rate": Grid(
        number="",
        title="Rate of the condition: a prefix of one, five or all frame features",
        rows=(
            _changed("specvqgan", "SpecVQGAN core, one feature", _ON_PATCHES, n_features="1"),
            _changed("specvqgan", "SpecVQGAN core, five features", _ON_PATCHES, n_features="5"),
            _changed("specvqgan", "SpecVQGAN core, all features (Table 1)", _ON_PATCHES),
        ),
        reading=(
            "A window of 2.05 s is written after a prefix of so many of its frame features, evenly spread: the middle "
            "one, five, or all 25 a second. A clip of 4 s is three windows, about a second apart, so these are 3, 15 "
            "and 152 features a clip, and one a window still tells some timing between windows; the paper's 1, 5 and "
            "212 are of the whole clip. The codec is that of Table 1's row, and so is everything else."
        ),
    ),
    "visual_mask": Grid(
        number="",
        title="Which frames a step may look at",
        rows=(
            _changed("foleygen", "FoleyGen core, frame by frame", _ON_CODES, visual_mask="frame"),
            _changed("foleygen", "FoleyGen core, frames up to now", _ON_CODES, visual_mask="causal"),
            _changed("foleygen", "FoleyGen core, all frames (Table 1)", _ON_CODES),
        ),
        reading=(
            "Cross-attention of the language model sees all frames of the stretch, those up to the time of the step, "
            "or the one of its time. A frame's feature has itself six frames to each side in it (0.24 s), so the "
            "masks hide less than their names say. Everything else is as in Table 1's row, which was trained on "
            "another machine: features and codec of the two rows with masks were trained again by the same commands, "
            "and times of the rows do not compare."
        ),
    ),
}  # fmt: skip
