"""List the runs of Foley-Flow and of the cores.

The rows of Table 1, and those that ask what Table 1 leaves open of its cores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

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
FULL_ROW = GridRow(label="Foley-Flow (ours, this corpus and size)", variant=FULL, reported="Foley-Flow (ours)")
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
BABBLES = tuple(
    GridRow(label=label, variant=Variant(name=name, model=name))
    for name, label in (("motion_babble", "Motion babble"), ("fixed_babble", "Fixed babble"))
)
NEAREST = Variant(name="nearest", model="nearest", takes=_ON_FEATURES)


def _system(model: str, takes: Mapping[str, Variant]) -> Variant:
    """Return the run of a compared system as Table 1 has it."""
    return Variant(name=model, model=model, settings=_AS_FULL, takes=takes)


_MAPPER = _system("v2a_mapper", _ON_FEATURES)


def _core(model: str, reported: str, takes: Mapping[str, Variant], guidance: float | None = None) -> GridRow:
    label = f"{reported.partition(' [')[0]} core"
    return GridRow(label=label, variant=_system(model, takes), reported=reported, guidance=guidance)


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
    _core("maskvat", "MaskVAT [41]", ON_CODES, guidance=5.0),
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

# What Table 1 leaves open of its cores, each asked of one seed; a block changes one system in one respect.
_NO_PLAN = {
    "alignment": Variant(
        name="alignment-no_plan", settings={"audio_plan": "dropped"}, stage="alignment", takes=_ON_FEATURES
    )
}
_CAVP = foleyflow_variant("cavp", alignment={"stage1": "cavp"}).takes
_DIFF_FOLEY = _system("diff_foley", _ON_FEATURES)
_JUDGED = {"judge": _DIFF_FOLEY, "diffusion": _DIFF_FOLEY}
_TABLE_1 = {row.variant.model: row for row in (FULL_ROW, *CORES) if row.variant}


class _Switch(NamedTuple):
    """How a row differs from its system's row in Table 1: label, part of its name, parts it takes, settings."""

    label: str
    name: str
    takes: Mapping[str, Variant] = {}
    settings: Mapping[str, str] = {}


def _switched(model: str, label: str, *switches: _Switch) -> tuple[GridRow, ...]:
    """Return a block: the row of Table 1, with what it is in this respect, and the rows that differ."""
    base = _TABLE_1[model]
    assert base.variant is not None
    own, system = base.variant, base.label.partition(" (")[0]
    block = f"{system}: {label}, or {' or '.join(switch.label for switch in switches)}"
    rows = [GridRow(label=f"{system}, {label} (Table 1)", variant=own, block=block, guidance=base.guidance)]
    for switch in switches:
        variant = dataclasses.replace(
            own,
            name=f"{own.name}-{switch.name}",
            settings={**own.settings, **switch.settings},
            takes={**own.takes, **switch.takes},
        )
        rows.append(GridRow(label=f"{system}, {switch.label}", variant=variant, block=block, guidance=base.guidance))
    return tuple(rows)


_PLAN, _NO_PLAN_ROW = "video feature and audio plan", _Switch("video feature alone", "no_plan", _NO_PLAN)
_CROPS, _WHOLE_ROW = "trained on crops of 2.08 s", _Switch("trained on 4 s", "whole", settings={"net_crop_s": "4"})
SWITCHES = (
    *(_switched(model, _PLAN, _NO_PLAN_ROW) for model in (MODEL, "maskvat", "vatt")),
    *(_switched(model, _CROPS, _WHOLE_ROW) for model in ("diff_foley", "vatt", "vab")),
    _switched(
        "diff_foley",
        "both guidances",
        _Switch("without the second guidance", "no_judge", _JUDGED, {"judge_guidance": "0"}),
    ),
    _switched(
        "v2a_mapper",
        "diffusion prior",
        _Switch("regression", "regression", {"sound_text": _MAPPER, "flow": _MAPPER}, {"mapper": "regression"}),
    ),
    _switched("vatt", "no text", _Switch("predicted captions", "predicted", settings={"text": "predicted"})),
    _switched(
        "diff_foley",
        "Foley-Flow's alignment stage",
        _Switch("its own first stage", "cavp", _CAVP, {"stage1": "cavp"}),
    ),
)
TRUE_CAPTIONS = GridRow(
    label="VATT core, true captions",
    variant=_system("vatt_true_captions", ON_CODES),
    block="VATT core, told the clip's own caption",
    unranked="it reads the clip's own caption, which names the class",
)
