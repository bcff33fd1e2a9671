"""List the runs of Foley-Flow and of the cores.

The rows of Table 1, and those that ask what Table 1 leaves open of its cores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from foleybench.reproduce.rows import MODEL, GridRow, Variant


def foleyflow_variant(
    name: str, *, alignment: Mapping[str, str] | None = None, flow: Mapping[str, str] | None = None
) -> Variant:
    """Return a variant of the reference model; those with one alignment stage share its run."""
    changed = alignment or {}
    stage = "-".join(["alignment", *(f"{key}={value}" for key, value in sorted(changed.items()))])
    shared = Variant(name=stage, settings=changed, stage="alignment")
    return Variant(name=name, settings={**changed, **(flow or {})}, takes={"alignment": shared})


FULL = foleyflow_variant("full")
STATIC = foleyflow_variant("static", flow={"condition": "static"})

# What the compared systems share: the frame features of Foley-Flow's alignment stage, and a codec of each kind. On
# features of their own (`stage1=cavp`), which hardly learn timing in these steps, rows would differ by features.
_ON_FEATURES = FULL.takes
_AS_FULL = {"stage1": "vama"}
_CODEC, _PATCHES, _TWO_RATES = (
    Variant(name=name, model=model, settings=_AS_FULL, stage="codec", takes=_ON_FEATURES)
    for name, model in (("codec", "maskvat"), ("codec_patches", "specvqgan"), ("codec_two_rates", "im2wav"))
)
ON_CODES, ON_PATCHES, _ON_TWO_RATES = ({**_ON_FEATURES, "codec": codec} for codec in (_CODEC, _PATCHES, _TWO_RATES))
PASTED_GRAINS = GridRow(label="Pasted grains", variant=Variant(name="pasted_grains", model="pasted_grains"))
NEAREST = Variant(name="nearest", model="nearest", takes=_ON_FEATURES)
_MAPPER = Variant(name="v2a_mapper", model="v2a_mapper", settings=_AS_FULL, takes=_ON_FEATURES)


def _core(model: str, reported: str, takes: Mapping[str, Variant], guidance: float | None = None) -> GridRow:
    variant = Variant(name=model, model=model, settings=_AS_FULL, takes=takes)
    label = f"{reported.partition(' [')[0]} core"
    return GridRow(label=label, variant=variant, reported=reported, guidance=guidance)


def by_default(row: GridRow) -> GridRow:
    """Return a core's row with the model's own guidance, where the search of settings took another for Table 1."""
    label, why = f"{row.label}, default guidance", "the search of settings took another guidance for this system"
    return dataclasses.replace(row, label=label, reported=None, unranked=why, guidance=None)


CORES = (
    _core("specvqgan", "SpecVQGAN [10]", ON_PATCHES),
    _core("im2wav", "Im2Wav [46]", _ON_TWO_RATES),
    _core("v2a_mapper", "V2A-Mapper [52]", _ON_FEATURES, guidance=1.25),
    _core("seeing_hearing", "Seeing & Hearing [53]", {**_ON_FEATURES, "sound_text": _MAPPER, "flow": _MAPPER}),
    _core("diff_foley", "Diff-Foley [17]", _ON_FEATURES),
    _core("foleygen", "FoleyGen [19]", ON_CODES),
    _core("maskvat", "MaskVAT [41]", ON_CODES),
    _core("vab", "VAB [48]", ON_CODES),
    _core("vatt", "VATT [16]", ON_CODES),
)


def _codec(label: str, variant: Variant) -> GridRow:
    return GridRow(label=f"Real audio through {label}", variant=variant, control="codec")


def changed_core(model: str, label: str, takes: Mapping[str, Variant], **settings: str) -> GridRow:
    """Return a row of a compared system with other settings; the system of Table 1 where there are none."""
    name = "-".join([model, *(f"{key}-{value}" for key, value in sorted(settings.items()))])
    return GridRow(label=label, variant=Variant(name=name, model=model, settings={**_AS_FULL, **settings}, takes=takes))


CODECS = (
    _codec("the residual codec (FoleyGen, MaskVAT, VAB, VATT)", _CODEC),
    _codec("the codec of patches (SpecVQGAN)", _PATCHES),
    _codec("the codec of two rates (Im2Wav)", _TWO_RATES),
)

# What Table 1 leaves open of its cores, each asked of one seed.
_PLAN = "Video feature and audio plan, or the video feature alone"
_LENGTH = "Trained on crops of 2.08 s, or on the whole 4 s that are generated"
_DIFF_FOLEY = "Diff-Foley: its second guidance and its first stage"
_MAPPERS = "V2A-Mapper: prior or regression"
_TEXT = "VATT: the text that it reads"
_NO_PLAN = {
    "alignment": Variant(
        name="alignment-no_plan", settings={"audio_plan": "dropped"}, stage="alignment", takes=_ON_FEATURES
    )
}
_CAVP = foleyflow_variant("cavp", alignment={"stage1": "cavp"}).takes
_ON_JUDGED = {
    part: Variant(name="diff_foley", model="diff_foley", settings=_AS_FULL, takes=_ON_FEATURES)
    for part in ("judge", "diffusion")
}
_ON_MAPPER = {**_ON_FEATURES, "sound_text": _MAPPER, "flow": _MAPPER}


def _switch(
    block: str,
    label: str,
    model: str,
    takes: Mapping[str, Variant],
    name: str = "",
    *,
    guidance: float | None = None,
    unranked: str = "",
    **settings: str,
) -> GridRow:
    """Return a row of the table of switches: Table 1's where no name is given, else a run of that name."""
    variant = Variant(
        name="-".join(part for part in (model, name) if part),
        model=model,
        settings={**_AS_FULL, **settings} if model != MODEL else settings,
        takes=takes,
    )
    return GridRow(label=label, variant=variant, block=block, guidance=guidance, unranked=unranked)


SWITCHES = (
    GridRow(label="Foley-Flow, both (Table 1)", variant=FULL, block=_PLAN),
    GridRow(label="Foley-Flow, video feature", variant=Variant(name="full-no_plan", takes=_NO_PLAN), block=_PLAN),
    _switch(_PLAN, "MaskVAT core, both (Table 1)", "maskvat", ON_CODES),
    _switch(_PLAN, "MaskVAT core, video feature", "maskvat", {**ON_CODES, **_NO_PLAN}, "no_plan"),
    _switch(_PLAN, "VATT core, both (Table 1)", "vatt", ON_CODES),
    _switch(_PLAN, "VATT core, video feature", "vatt", {**ON_CODES, **_NO_PLAN}, "no_plan"),
    _switch(_LENGTH, "Diff-Foley core, 2.08 s (Table 1)", "diff_foley", _ON_FEATURES),
    _switch(_LENGTH, "Diff-Foley core, 4 s", "diff_foley", _ON_FEATURES, "whole", net_crop_s="4"),
    _switch(_LENGTH, "VAB core, 2.08 s (Table 1)", "vab", ON_CODES),
    _switch(_LENGTH, "VAB core, 4 s", "vab", ON_CODES, "whole", net_crop_s="4"),
    _switch(_LENGTH, "VATT core, 2.08 s (Table 1)", "vatt", ON_CODES),
    _switch(_LENGTH, "VATT core, 4 s", "vatt", ON_CODES, "whole", net_crop_s="4"),
    _switch(_DIFF_FOLEY, "Diff-Foley core, both guidances (Table 1)", "diff_foley", _ON_FEATURES),
    _switch(
        _DIFF_FOLEY,
        "Diff-Foley core, without the second guidance",
        "diff_foley",
        {**_ON_FEATURES, **_ON_JUDGED},
        "no_judge",
        judge_guidance="0",
    ),
    _switch(_DIFF_FOLEY, "Diff-Foley core, its own first stage", "diff_foley", _CAVP, "cavp", stage1="cavp"),
    _switch(_MAPPERS, "V2A-Mapper core, diffusion prior (Table 1)", "v2a_mapper", _ON_FEATURES, guidance=1.25),
    _switch(
        _MAPPERS,
        "V2A-Mapper core, regression",
        "v2a_mapper",
        _ON_MAPPER,
        "regression",
        guidance=1.25,
        mapper="regression",
    ),
    _switch(_TEXT, "VATT core, no text (Table 1)", "vatt", ON_CODES),
    _switch(_TEXT, "VATT core, predicted captions", "vatt", ON_CODES, "predicted", text="predicted"),
    _switch(
        _TEXT,
        "VATT core, true captions",
        "vatt_true_captions",
        ON_CODES,
        unranked="it reads the clip's own caption, which names the class",
    ),
)
