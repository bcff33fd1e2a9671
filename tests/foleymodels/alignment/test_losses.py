"""What the objectives add up, and which trained stage fits a run."""

import numpy as np
import pytest
import torch

from foleybench.errors import FoleyError
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.objective import Draw
from foleymodels._alignment.settings import AlignmentSettings
from foleymodels._alignment.stage import KIND, fitting_alignment, objective_of, record_of
from foleymodels._alignment.vama import VamaObjective, masked_error
from foleymodels._parts import checkpoint
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.settings import replaced
from tests.foleymodels.small import small_settings


def objective(data, **more):
    settings = small_settings(**more)
    torch.manual_seed(0)
    return objective_of(Alignment(settings.signal, settings.alignment), data).requires_grad_(False)


def draw(data):
    clips = torch.arange(4)
    return Draw(data=data, audio_of=clips, video_of=clips, starts=np.zeros(4, dtype=np.int64))


@pytest.mark.parametrize(
    ("name", "weight", "parts"),
    [
        ("vama", {"change_weight": "3", "level_weight": "0", "attack_weight": "0"}, ("masked", "change")),
        ("vama", {"change_weight": "0", "level_weight": "3", "attack_weight": "0"}, ("masked", "level")),
        ("vama", {"change_weight": "0", "level_weight": "0", "attack_weight": "3"}, ("masked", "attack")),
        ("cavp", {"cavp_weight": "3"}, ("between", "within")),
        ("onset_sup", {"onset_weight": "3"}, ("class", "onset")),
    ],
)
def test_the_second_part_of_a_loss_has_its_weight(name, weight, parts, toy_data):
    found = objective(toy_data, stage1=name, **weight)(draw(toy_data), torch.Generator().manual_seed(0))
    plain, weighted = (float(found[part]) for part in parts)
    assert weighted > 0
    assert float(found["loss"]) == pytest.approx(plain + 3 * weighted, rel=1e-5)


def test_a_full_mask_is_the_error_of_every_token(toy_data):
    alignment = objective(toy_data, mask_ratio="0.3", full_mask_p="0").alignment
    full = VamaObjective(alignment, full_mask=True)
    losses = [float(full(draw(toy_data), torch.Generator().manual_seed(seed))["masked"]) for seed in (0, 1)]
    frames, tokens = draw(toy_data).frames(24), draw(toy_data).tokens(30)
    predicted, _, _ = alignment(frames, None, None, 30)
    everything = torch.ones(4, 30, dtype=torch.bool)
    assert losses[0] == losses[1] == pytest.approx(float(masked_error(predicted, tokens, everything)), rel=1e-5)
    some = VamaObjective(alignment)(draw(toy_data), torch.Generator().manual_seed(0))["masked"]
    assert float(some) != pytest.approx(losses[0], rel=1e-4)


@pytest.mark.parametrize(("target", "size"), [("mel", 128), ("audio_mae", 24), ("av_contrast", 24), ("audiomae", 768)])
def test_what_is_rebuilt_has_the_size_of_the_target(target, size):
    settings = AlignmentSettings(audio_target=target, encoder_dim=24)
    assert settings.target_dim(MelSettings()) == size


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("rate_hz", 8000),
        ("n_fft", 512),
        ("hop", 128),
        ("n_mels", 32),
        ("grid_hz", 12.5),
        ("cells", 8),
        ("window_s", 2.56),
        ("stage1", "cavp"),
        ("video_encoder", "mae"),
        ("audio_target", "audio_mae"),
    ],
)
def test_a_stage_trained_for_something_else_is_refused_by_name(name, other, tmp_path):
    settings = small_settings()
    trained = Alignment(settings.signal, settings.alignment)
    checkpoint.write_checkpoint(tmp_path, KIND, trained.state_dict(), {"settings": record_of(trained)})
    for wanted in (settings, replaced(settings, vama_steps=1, flow_dim=8)):
        assert fitting_alignment(wanted.stage, tmp_path).settings == trained.settings
    with pytest.raises(FoleyError, match=rf"trained with {name}=.*this run wants {other}"):
        fitting_alignment(replaced(settings, **{name: other}).stage, tmp_path)
