"""List the rows of the paper's tables: one training run each.

The paper's names stand on the left, our reading of them on the right; where the paper leaves a row open,
``Grid.reading`` states the reading and is printed under the table.
"""

from __future__ import annotations

import itertools

from foleybench.reproduce.cores import (
    BABBLES,
    CODECS,
    CORES,
    FULL,
    FULL_ROW,
    NEAREST,
    ON_CODES,
    ON_PATCHES,
    PASTED_GRAINS,
    STATIC,
    SWITCHES,
    TRUE_CAPTIONS,
    by_default,
    changed_core,
    foleyflow_variant,
)
from foleybench.reproduce.rows import Grid, GridRow, Variant

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
        variant=foleyflow_variant(f"mask_{ratio}_whole_{full_mask_p}", alignment=chosen),
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
        variant=foleyflow_variant(f"{_VIDEO[video]}-{_AUDIO[audio]}", alignment=chosen),
        reported=f"{video} video, {audio} audio",
        unranked=_SEES_LABELS if _VIDEO[video] == "image_label" else "",
    )


_LINEAR = foleyflow_variant("linear", flow={"path": "linear"})
_MATCHED = "Matched noise levels and targets (`times=matched`)"
_RAW = "As the paths come (`times=raw`)"

GRIDS = {
    "table1": Grid(
        number="1",
        title="Comparison",
        rows=(
            FULL_ROW,
            *CORES,
            *(by_default(row) for row in CORES if row.guidance is not None),
            GridRow(label="Foley-Flow, static condition", variant=STATIC),
            GridRow(label="Unconditional flow", variant=Variant(name="unconditional", model="unconditional")),
            PASTED_GRAINS,
            GridRow(label="Nearest training clip", variant=NEAREST),
            *BABBLES,
        ),
        controls=True,
        ladder=CODECS,
        picture=True,
        timed=True,
        copying=True,
        reading=(
            "Each core keeps a system's paradigm at this size, on the same clips, mel transform and vocoder, and sees "
            "as many examples in the stage that makes the audio; what V2A-Mapper (mapper, sound-text model), Seeing & "
            "Hearing (aligner), Diff-Foley (judge) and VAB (retrieval) train besides sees more (numbers: "
            "`models/foleymodels/_systems/MODEL_CARD.md`). Its model card says what is kept, smaller and unknown. The "
            "features are those that Foley-Flow's alignment stage learned: for every mel token a video feature and an "
            "audio plan. All cores have them from one network a seed (from several where runs of a seed were made on "
            "several machines: `docs/results.md` says which). Not all read both. Writers of codes (SpecVQGAN, Im2Wav, "
            "FoleyGen) have the video feature alone, as in the tables `condition_rate` and `visual_mask`, "
            "where a prefix or a mask hides frames that the plan, which has seen the whole clip, would tell; in this "
            "table nothing is hidden from them (FoleyGen's mask is `all`, its default, which times worst of the "
            "three), and they lack the plan all the same. The others have both, Diff-Foley, VAB and VATT at few tokens "
            "a second, which can then tell more of the timing than the picture at that moment. So rows differ by what "
            "makes audio of the features, and some by the plan; what it is worth stands in `switches`. Diff-Foley's "
            "own first stage (`stage1=cavp`) is left out. Settings are the models' own, but where the search on the "
            "validation split (`search.md`) took another by its rule: the guidance of V2A-Mapper "
            "and MaskVAT. A core is not the published system: the reported block is of VGGSound with official "
            "evaluators and compares with nothing measured here. What the paper's order is compared with is the order "
            "of the paradigms here."
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
                variant=foleyflow_variant("static-linear", flow=STATIC_LINEAR),
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
            GridRow(label="DCF", variant=_LINEAR, reported="DCF", block=_MATCHED),
            GridRow(label="GDCF", variant=FULL, reported="GDCF", block=_MATCHED),
            GridRow(
                label="DCF, raw times",
                variant=foleyflow_variant("linear-raw", flow={"path": "linear", "times": "raw"}),
                block=_RAW,
            ),
            GridRow(label="GDCF, raw times", variant=foleyflow_variant("gvp-raw", flow={"times": "raw"}), block=_RAW),
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
            changed_core("specvqgan", "SpecVQGAN core, one feature", ON_PATCHES, n_features="1"),
            changed_core("specvqgan", "SpecVQGAN core, five features", ON_PATCHES, n_features="5"),
            changed_core("specvqgan", "SpecVQGAN core, all features (Table 1)", ON_PATCHES),
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
            changed_core("foleygen", "FoleyGen core, frame by frame", ON_CODES, visual_mask="frame"),
            changed_core("foleygen", "FoleyGen core, frames up to now", ON_CODES, visual_mask="causal"),
            changed_core("foleygen", "FoleyGen core, all frames (Table 1)", ON_CODES),
        ),
        reading=(
            "Cross-attention of the language model sees all frames of the stretch, those up to the time of the step, "
            "or the one of its time. A frame's feature has itself six frames to each side in it (0.24 s), so the masks "
            "hide less than their names say. Everything else is as in Table 1's row, which was trained on another "
            "machine: features and codec of the two rows with masks were trained again by the same commands. The "
            "codec's losses are the same; those of the features are not, so these rows stand on another network of "
            "features than Table 1's."
        ),
    ),
    "switches": Grid(
        number="",
        title="What Table 1 leaves open of its cores",
        rows=(*itertools.chain(*SWITCHES), TRUE_CAPTIONS),
        reading=(
            "Rows are compared within their block alone: a row of Table 1, and the same system with one thing changed. "
            "*Video feature alone*: the same alignment network with zeros in place of the audio plan "
            "(`audio_plan=dropped`), and the generator trained on that. *Trained on 4 s*: these three cores read a few "
            "features a second as a prefix or by attention over the clip; trained on crops, they see twice as many at "
            "generation as in training, trained on whole clips as many (`net_crop_s=4`, of size tiny). *Without the "
            "second guidance*: the same denoiser sampled without the judge. *Its own first stage*: contrast between "
            "clips and windows (`cavp`), as long as the alignment stage. *Regression*: the same flow and vectors of "
            "sound, another map to them. *Predicted captions*: those of the corpus, guessed from the video. The row "
            "with true captions has no row to compare with: it is told the class."
        ),
    ),
}  # fmt: skip
