import dataclasses

import pytest
import torch

from foleybench.errors import UnknownNameError
from foleymodels._alignment.stage import new_alignment
from foleymodels._parts.contrast import info_nce
from foleymodels._small_encoders.nets import AudioEncoder, FrameEncoder
from foleymodels._small_encoders.objectives import OBJECTIVES, _mel_patches, _mel_tokens
from foleymodels._small_encoders.train import PretextSettings, pretrained
from foleymodels.foleyflow.checkpoints import load_foleyflow
from tests.foleymodels.small import small_settings, train

SETTINGS = PretextSettings(name="mae", dim=16, steps=3, batch=4, rate=3e-3, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_encoder_is_trained_once_and_kept(name, toy_data, tmp_path):
    settings = dataclasses.replace(SETTINGS, name=name)
    first = pretrained(settings, toy_data)
    again = pretrained(settings, toy_data)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert {key.split(".")[0] for key in first} & {"picture", "sound"}
    other = pretrained(dataclasses.replace(settings, seed=1), toy_data)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_a_frame_encoder_sees_one_frame_and_no_change():
    encoder = FrameEncoder(16, 8)
    maps = torch.randint(0, 255, (2, 5, 16, 16, 6), dtype=torch.uint8)
    before = encoder(maps)
    moved = maps.clone()
    moved[..., 3:] = 0
    assert torch.equal(encoder(moved), before)
    moved[:, 2, ..., :3] = 0
    after = encoder(moved)
    assert torch.equal(after[:, [0, 1, 3, 4]], before[:, [0, 1, 3, 4]])
    assert not torch.allclose(after[:, 2], before[:, 2])


def test_a_hidden_patch_does_not_leak():
    encoder = FrameEncoder(16, 8)
    maps = torch.randint(0, 255, (1, 1, 16, 16, 6), dtype=torch.uint8)
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    mask[0, 1, 2] = True
    changed = maps.clone()
    changed[0, 0, 4:8, 8:12] = 0
    assert torch.equal(encoder(maps, mask), encoder(changed, mask))
    assert not torch.equal(encoder(maps), encoder(changed))


def test_mel_patches_come_back_together():
    tokens = torch.randn(2, 5, 128)
    patches = _mel_patches(tokens, 64)
    assert patches.shape == (2, 20, 32)
    assert torch.equal(_mel_tokens(patches, 5, 64), tokens)
    # the first patch holds the lowest quarter of the bands of both frames of the first token
    assert torch.equal(patches[0, 0], torch.cat([tokens[0, 0, :16], tokens[0, 0, 64:80]]))


def test_audio_features_have_unit_size_whatever_the_weights():
    features = AudioEncoder(128, 16)(torch.randn(2, 9, 128))
    torch.testing.assert_close(features.std(-1, correction=0), torch.ones(2, 9), atol=1e-2, rtol=0)


@pytest.mark.slow
def test_frozen_encoders_stay_as_pretrained_and_set_the_target(corpus, toy_data, tmp_path):
    chosen = {"video_encoder": "av_contrast", "audio_target": "audio_mae"}
    out = train("foleyflow", corpus, tmp_path, **chosen)
    alignment = load_foleyflow(out).alignment
    settings = small_settings(**chosen)
    start = new_alignment(settings.stage, 0, toy_data)
    for name, value in start.state_dict().items():
        if name.startswith(("video.encoder.", "sound.")):
            assert torch.equal(value, alignment.state_dict()[name]), name
    assert not torch.equal(alignment.video.enter.weight, start.video.enter.weight)
    tokens = torch.randn(2, 9, 128)
    target = alignment.target(tokens)
    assert target.shape == (2, 9, settings.alignment.encoder_dim)
    assert not target.requires_grad


def test_a_target_that_no_objective_rebuilds_is_refused():
    with pytest.raises(UnknownNameError, match="stage1=vama"):
        small_settings(audio_target="audio_mae", stage1="cavp")


def test_contrast_prefers_partners():
    vectors = torch.eye(4, 8)
    right = float(info_nce(vectors, vectors, torch.tensor(10.0)))
    assert right < float(info_nce(vectors, vectors.roll(1, 0), torch.tensor(10.0)))
