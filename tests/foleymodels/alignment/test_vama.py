"""Masked alignment: what is masked, that nothing of it leaks, and what counts as an error."""

import dataclasses

import pytest
import torch

from foleymodels._alignment.masks import draw_mask
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.settings import AlignmentSettings
from foleymodels._alignment.vama import masked_change_error, masked_error
from tests.foleymodels.small import small_settings


def test_masks_are_whole_segments_of_the_asked_share():
    settings = AlignmentSettings(full_mask_p=0.0)
    mask = draw_mask(settings, 31.25, 50, 120, torch.Generator().manual_seed(0))
    segments = mask.reshape(50, 30, 4)
    assert bool((segments.all(-1) | ~segments.any(-1)).all())
    assert (segments[..., 0].sum(1) == 24).all()
    full = draw_mask(dataclasses.replace(settings, full_mask_p=1.0), 31.25, 5, 120, torch.Generator())
    assert bool(full.all())


def test_masked_audio_does_not_leak():
    settings = small_settings()
    alignment = Alignment(settings.signal, settings.alignment).eval()
    frames = torch.randint(0, 255, (1, 24, 32, 32, 6), dtype=torch.uint8)
    tokens = torch.randn(1, 30, 128)
    mask = draw_mask(settings.alignment, 31.25, 1, 30, torch.Generator().manual_seed(1))
    changed = torch.where(mask[..., None], tokens + 10.0, tokens)
    with torch.inference_mode():
        before, after = (alignment(frames, x, mask, 30)[0] for x in (tokens, changed))
        seen = alignment(frames, tokens + 10.0, mask & False, 30)[0]
    assert torch.equal(before, after)
    assert not torch.allclose(before, seen)


def test_errors_count_masked_tokens_only():
    tokens = torch.zeros(1, 4, 6)
    predicted = torch.ones(1, 4, 6)
    predicted[0, 0] = 100.0
    mask = torch.tensor([[False, True, True, True]])
    assert float(masked_error(predicted, tokens, mask)) == 1.0
    assert float(masked_change_error(predicted, tokens, mask, n_mels=3)) == 0.0
    predicted[0, 2, 3:] = 2.0  # one mel frame one higher: a rise and a fall of one among five changes
    assert float(masked_change_error(predicted, tokens, mask, n_mels=3)) == pytest.approx(2 / 5)
