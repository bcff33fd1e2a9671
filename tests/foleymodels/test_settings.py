"""Settings of a checkpoint."""

from __future__ import annotations

import dataclasses

import pytest

from foleybench.errors import FoleyError
from foleymodels.foleyflow.settings import Settings


def test_a_checkpoint_of_another_version_is_refused_by_name(tmp_path):
    record = dataclasses.asdict(Settings())
    assert Settings.of_checkpoint(record, tmp_path) == Settings()
    record["crop_s"] = record.pop("window_s")
    with pytest.raises(FoleyError, match="settings crop_s, window_s do not agree"):
        Settings.of_checkpoint(record, tmp_path)
