"""Conditions of a training set: computed once, mapped, read in crops."""

import numpy as np
import pytest
import torch

from foleymodels._alignment.conditions import aligned_conditions
from foleymodels._alignment.network import Alignment
from foleymodels._training.conditions import forget_conditions
from tests.foleymodels.small import small_settings


@pytest.fixture
def alignment():
    settings = small_settings()
    torch.manual_seed(0)
    return Alignment(settings.signal, settings.alignment).eval()


def test_conditions_are_mapped_and_kept_until_the_run_is_over(alignment, toy_data, tmp_path):
    conditions = aligned_conditions(alignment, toy_data, "cpu", tmp_path)
    (path,) = tmp_path.iterdir()
    assert conditions.values.shape == (toy_data.token_offsets[-1], alignment.condition_dim)
    with torch.inference_mode():
        expected = alignment.condition(toy_data.video(3)[0][None], toy_data.video(3)[1])[0].half()
    first, last = toy_data.token_offsets[3:5]
    assert torch.equal(conditions.values[first:last], expected)
    written = path.stat().st_mtime_ns
    assert torch.equal(aligned_conditions(alignment, toy_data, "cpu", tmp_path).values, conditions.values)
    assert path.stat().st_mtime_ns == written
    with torch.no_grad():
        alignment.hidden.add_(1.0)
    assert not torch.equal(aligned_conditions(alignment, toy_data, "cpu", tmp_path).values, conditions.values)
    forget_conditions(tmp_path)
    assert not list(tmp_path.iterdir())


def test_windows_of_a_long_clip_start_with_whole_frames(alignment, monkeypatch):
    """Every frame tells its own number; a token that starts with a frame must get that frame's, in every window."""
    per_token, n_tokens = 25.0 / alignment.signal.mel.token_hz, 93
    frames = torch.arange(160, dtype=torch.uint8).reshape(1, 160, 1, 1, 1).expand(1, 160, 8, 8, 6)

    def told(parts, n):
        first = parts[:, 0, 0, 0, 0].float()
        return (first[:, None] + per_token * torch.arange(n))[..., None]

    monkeypatch.setattr(alignment, "features", told)
    found = alignment.condition(frames, n_tokens)[0, :, 0]
    assert torch.allclose(found, per_token * torch.arange(n_tokens), atol=1e-3)


def test_a_crop_starts_where_the_crop_of_the_tokens_does(alignment, toy_data, tmp_path):
    conditions = aligned_conditions(alignment, toy_data, "cpu", tmp_path)
    crops = conditions.crop(torch.tensor([2, 0]), np.array([3, 0]), 10)
    per_unit = toy_data.settings.unit[1]
    first = toy_data.token_offsets[2] + 3 * per_unit
    assert per_unit > 1
    assert crops.dtype == torch.float32
    assert torch.equal(crops[0], conditions.values[first : first + 10].float())
    assert torch.equal(crops[1], conditions.values[:10].float())


def test_scale_is_fitted_on_spread_rows_where_there_are_very_many(alignment, toy_data, tmp_path, monkeypatch):
    conditions = aligned_conditions(alignment, toy_data, "cpu", tmp_path)
    assert torch.equal(conditions.sample(), conditions.values.float())
    monkeypatch.setattr("foleymodels._training.conditions._LARGEST_SAMPLE", conditions.values.numel() // 3 + 1)
    assert torch.equal(conditions.sample(), conditions.values[::3].float())
