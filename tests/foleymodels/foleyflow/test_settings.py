"""Settings of a checkpoint."""

from __future__ import annotations

import dataclasses

import pytest
from foleymodels.foleyflow.sizes import resolve

from foleybench.errors import FoleyError
from foleymodels.foleyflow.settings import Settings


def test_a_checkpoint_of_another_version_is_refused_by_name(tmp_path):
    record = dataclasses.asdict(Settings())
    assert Settings.of_checkpoint(record, tmp_path) == Settings()
    record["crop_s"] = record.pop("window_s")
    with pytest.raises(FoleyError, match="settings crop_s, window_s do not agree"):
        Settings.of_checkpoint(record, tmp_path)


def test_a_checkpoint_of_before_some_settings_says_what_was_done_then(tmp_path):
    record = dataclasses.asdict(Settings())
    for name in ("optimiser", "schedule", "precision"):
        del record[name]
    found = Settings.of_checkpoint(record, tmp_path)
    assert (found.optimiser, found.schedule, found.precision) == ("adamw", "cosine", "float32")
    record.pop("head")
    with pytest.raises(FoleyError, match="settings head do not agree"):
        Settings.of_checkpoint(record, tmp_path)


def test_precision_is_decided_by_the_device():
    for device, name in (("cpu", "float32"), ("cuda", "bfloat16"), ("cuda:1", "bfloat16")):
        assert resolve("tiny", {}, device=device)[0].precision == name
    assert resolve("tiny", {"precision": "float32"}, device="cuda")[0].precision == "float32"
    assert resolve("tiny", {"precision": "bfloat16"})[0].precision == "bfloat16"
