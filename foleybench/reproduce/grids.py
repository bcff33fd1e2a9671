"""List the rows of the paper's tables: one model variant each.

The paper's names stand on the left, our reading of them on the right; where the paper leaves a row open,
``Grid.reading`` states the reading and is printed under the table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

MODEL = "foleyflow"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to train the reference model.

    Attributes:
        name: Part of folder and row names.
        alignment: Settings of the alignment stage that differ from the size's; None when there is no such stage.
        flow: Settings of the flow stage that differ from the size's.
    """

    name: str
    alignment: Mapping[str, str] | None = dataclasses.field(default_factory=dict)
    flow: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def alignment_name(self) -> str:
        """Name of the alignment stage; variants that share it share the training."""
        if not self.alignment:
            return "alignment"
        return "alignment-" + "-".join(f"{key}={value}" for key, value in sorted(self.alignment.items()))


@dataclasses.dataclass(frozen=True, kw_only=True)
class GridRow:
    """One row of a table.

    Attributes:
        label: Label in our table.
        variant: The variant that is trained, or None for a row that is only reported.
        reported: Label of the row in the list of published numbers, or None when the paper has no such row.
        model: Registry name for rows that are not a variant of the reference model (baselines and controls).
    """

    label: str
    variant: Variant | None = None
    reported: str | None = None
    model: str = MODEL


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """One table.

    Attributes:
        number: Number of the table in the paper.
        title: Heading.
        rows: Rows in the paper's order, then ours.
        reading: Our reading of details that the paper leaves open.
        controls: Whether the control rows stand below the table.
    """

    number: str
    title: str
    rows: tuple[GridRow, ...]
    reading: str
    controls: bool = False


FULL = Variant(name="full")
STATIC_LINEAR = {"condition": "static", "path": "linear"}
_NO_ALIGNMENT = {"stage1": "none"}


def _masked(ratio: str) -> GridRow:
    variant = FULL if ratio == "0.8" else Variant(name=f"mask_{ratio}", alignment={"mask_ratio": ratio})
    return GridRow(label=f"ratio {ratio}", variant=variant, reported=f"masking ratio {ratio}")


_VIDEO = {"ImageBind": "av_contrast", "MAE": "mae", "EVA-CLIP": "image_label"}
_AUDIO = {"ImageBind": "av_contrast", "AudioMAE": "audio_mae"}


def _encoders(video: str, audio: str) -> GridRow:
    chosen = {"video_encoder": _VIDEO[video], "audio_target": _AUDIO[audio]}
    return GridRow(
        label=f"{video}-like video, {audio}-like audio",
        variant=Variant(name=f"{_VIDEO[video]}-{_AUDIO[audio]}", alignment=chosen),
        reported=f"{video} video, {audio} audio",
    )


GRIDS = {
    "table1": Grid(
        number="1",
        title="Comparison",
        rows=(
            GridRow(label="Foley-Flow (ours, this corpus and size)", variant=FULL, reported="Foley-Flow (ours)"),
            GridRow(label="Foley-Flow, static condition", variant=Variant(name="static", flow={"condition": "static"})),
            GridRow(
                label="Unconditional flow",
                variant=Variant(name="unconditional", alignment=None),
                model="unconditional",
            ),
            GridRow(label="Nearest training clip", variant=Variant(name="nearest"), model="nearest"),
        ),
        controls=True,
        reading=(
            "Only the reference model and controls are trained here. The nine compared systems stand in the reported "
            "block: their numbers are of VGGSound with official evaluators and compare with nothing measured here."
        ),
    ),
    "table2": Grid(
        number="2",
        title="Alignment (VAMA) and flow (GVAF)",
        rows=(
            GridRow(
                label="VAMA no, GVAF no",
                variant=Variant(name="none-static-linear", alignment=None, flow={**_NO_ALIGNMENT, **STATIC_LINEAR}),
                reported="VAMA no, GVAF no",
            ),
            GridRow(
                label="VAMA yes, GVAF no",
                variant=Variant(name="static-linear", flow=STATIC_LINEAR),
                reported="VAMA yes, GVAF no",
            ),
            GridRow(
                label="VAMA no, GVAF yes",
                variant=Variant(name="none", alignment=None, flow=_NO_ALIGNMENT),
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
            GridRow(label="DCF", variant=Variant(name="linear", flow={"path": "linear"}), reported="DCF"),
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
