"""Settings by subject: sizes, overrides by plain name, and what a checkpoint says of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from foleybench.api.model import TrainContext
from foleybench.errors import FoleyError, UnknownNameError
from foleymodels._alignment.settings import NetworkSettings, StageSettings
from foleymodels._flow.system import FlowSystemSettings
from foleymodels._parts.settings import SIZES, Subject, field_names, flat, of_size, read_settings, replaced, scaled
from foleymodels.foleyflow.settings import FoleyFlowOptions, FoleyFlowSettings, resolve_foleyflow
from tests.foleymodels.small import settings_of

TINY = of_size(FoleyFlowSettings, "tiny")


@pytest.mark.parametrize("kind", [FoleyFlowSettings, StageSettings, FlowSystemSettings])
def test_a_name_stands_for_one_setting(kind):
    owners = field_names(kind)
    assert len(owners) == len(flat(of_size(kind, "tiny")))
    assert not owners.keys() & FoleyFlowOptions.__dataclass_fields__.keys()
    assert owners["n_mels"] == "signal"
    assert owners["precision"] == "loop"


@dataclasses.dataclass(frozen=True)
class Width(Subject):
    flow_dim: int = 3


@dataclasses.dataclass(frozen=True)
class Twice:
    width: Width
    other: Width


def test_two_subjects_with_one_name_are_an_error():
    with pytest.raises(TypeError, match="'flow_dim' in 'width' and in 'other'"):
        field_names(Twice)


def test_an_override_by_plain_name_reaches_its_subject_and_nothing_else():
    found = settings_of({"flow_dim": "160", "vama_rate": "0.25", "grid_hz": "12.5", "imf_target": "data"})
    assert (found.flow.flow_dim, found.alignment.vama_rate, found.signal.grid_hz) == (160, 0.25, 12.5)
    assert found.head.imf_target == "data"
    wanted = replaced(TINY, flow_dim=160, vama_rate=0.25, grid_hz=12.5, imf_target="data", precision="float32")
    assert found == wanted


def test_options_are_told_from_settings():
    nowhere = Path("nowhere")
    asked = {"cache": "here", "jobs": "3", "alignment": "there", "stage": "alignment", "flow_dim": "8"}
    settings, options = resolve_foleyflow(TrainContext(data=nowhere, val=None, out=nowhere, settings=asked))
    assert settings.flow.flow_dim == 8
    assert options == FoleyFlowOptions(cache="here", jobs=3, alignment="there", stage="alignment")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"flow_dims": "3"}, "Did you mean 'flow_dim'"),
        ({"job": "3"}, "Did you mean 'jobs'"),
        ({"nfe": "many"}, "nfe='many' is not a int"),
        ({"path": "cubic"}, "no path 'cubic'.*gvp_learned"),
        ({"stage": "flow"}, "no stage 'flow'.*alignment"),
        ({"path": "gvp_learned", "times": "raw"}, "times=matched only"),
        ({"stage1": "cavp", "audio_target": "audio_mae"}, "stage1=vama"),
    ],
)
def test_what_cannot_be_set_is_named(overrides, message):
    with pytest.raises(UnknownNameError, match=message):
        settings_of(overrides)


def test_values_that_go_together_may_come_in_any_order():
    found = settings_of({"stage1": "cavp", "audio_target": "mel"}, size="std16k")  # whose target is AudioMAE
    assert (found.alignment.stage1, found.alignment.audio_target) == ("cavp", "mel")


def test_a_share_of_a_size_scales_amounts_of_training_only():
    half = scaled(TINY, 0.5)
    changed = {name for name, value in flat(half).items() if value != flat(TINY)[name]}
    assert changed == {"vama_steps", "encoder_steps", "flow_steps", "head_steps", "reflow_pairs"}
    assert half.flow.flow_steps == TINY.flow.flow_steps // 2
    assert scaled(TINY, 1e-9).flow.flow_steps == 1


@pytest.mark.parametrize("size", SIZES)
def test_a_checkpoint_gives_its_settings_back(size, tmp_path):
    settings = of_size(FoleyFlowSettings, size)
    record = json.loads(json.dumps(dataclasses.asdict(settings)))
    assert read_settings(FoleyFlowSettings, record, tmp_path) == settings
    part = read_settings(NetworkSettings, record, tmp_path, beside=True)
    assert (part.signal, part.alignment) == (settings.signal, settings.alignment)


def test_a_checkpoint_of_another_version_is_refused_by_name(tmp_path):
    record = dataclasses.asdict(TINY)
    record["signal"]["crop_s"] = record["signal"].pop("window_s")
    for kind, beside in ((FoleyFlowSettings, False), (NetworkSettings, True)):
        with pytest.raises(FoleyError, match="settings crop_s, window_s do not agree"):
            read_settings(kind, record, tmp_path, beside=beside)


def test_missing_and_surplus_subjects_are_named(tmp_path):
    record = dataclasses.asdict(TINY)
    with pytest.raises(FoleyError, match="settings noise do not agree"):
        read_settings(FoleyFlowSettings, {**record, "noise": {"level": 1}}, tmp_path)
    with pytest.raises(FoleyError, match="settings head, optimiser, precision, schedule do not agree"):
        read_settings(FlowSystemSettings, {name: record[name] for name in ("signal", "flow", "head")}, tmp_path)


def test_settings_without_subjects_as_earlier_versions_wrote_them_are_read(tmp_path):
    record = flat(replaced(TINY, precision="float32"))
    assert read_settings(FoleyFlowSettings, record, tmp_path) == replaced(TINY, precision="float32")
    assert read_settings(NetworkSettings, record, tmp_path, beside=True).alignment == TINY.alignment
    with pytest.raises(FoleyError, match="flow_dim"):  # of another subject, where none may be
        read_settings(NetworkSettings, record, tmp_path)
    older = {**record, "crop_s": record["window_s"]}
    del older["window_s"]
    with pytest.raises(FoleyError, match="settings crop_s, window_s do not agree"):
        read_settings(FoleyFlowSettings, older, tmp_path)


def test_a_checkpoint_of_before_some_settings_says_what_was_done_then(tmp_path):
    record = flat(TINY)
    for name in ("optimiser", "schedule", "precision"):
        del record[name]
    found = read_settings(FoleyFlowSettings, record, tmp_path).loop
    assert (found.optimiser, found.schedule, found.precision) == ("adamw", "cosine", "float32")
    del record["head"]
    with pytest.raises(FoleyError, match="settings head do not agree"):
        read_settings(FoleyFlowSettings, record, tmp_path)


def test_precision_is_decided_by_the_device():
    for device, name in (("cpu", "float32"), ("cuda", "bfloat16"), ("cuda:1", "bfloat16")):
        assert settings_of({}, device=device).loop.precision == name
    assert settings_of({"precision": "float32"}, device="cuda").loop.precision == "float32"
    assert settings_of({"precision": "bfloat16"}).loop.precision == "bfloat16"
