import dataclasses

import pytest
import torch

from foleybench.errors import UnknownNameError
from foleymodels._alignment.stage import new_alignment
from foleymodels._parts.contrast import info_nce
from foleymodels._parts.frame_maps import unit_size
from foleymodels._small_encoders.nets import AudioEncoder, FrameEncoder, planes, planes_in_time
from foleymodels._small_encoders.objectives import OBJECTIVES, _mel_patches, _mel_tokens, _seen
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


def grey(*levels):
    """Return one clip whose frames have one brightness each, shape (1, n, 16, 16, 6)."""
    maps = torch.zeros(1, len(levels), 16, 16, 6, dtype=torch.uint8)
    maps[..., :3] = torch.tensor(levels, dtype=torch.uint8)[None, :, None, None, None]
    return maps


def neighbours(maps):
    """Put two frames to either side beside every frame; beyond both ends the end's frame is repeated."""
    n = maps.shape[1]
    at = torch.arange(n)[:, None] + torch.arange(-2, 3)
    return maps[:, at.clamp(0, n - 1)]


def test_planes_are_colours_and_motion_against_the_neighbours_by_hand():
    """Differences of 64 are half of the range, and are scaled to unit size; the ends are repeated."""
    seen = planes_in_time(grey(64, 128, 192))
    assert seen.shape == (1, 3, 7, 16, 16)
    values = seen[0, :, :, 5, 7]
    torch.testing.assert_close(values[:, :3], torch.tensor([[-0.5], [0.0], [0.5]]).expand(3, 3))
    steps = torch.tensor([[0.0, 0.0, 1.0, 2.0], [-1.0, -1.0, 1.0, 1.0], [-2.0, -1.0, 0.0, 0.0]])
    torch.testing.assert_close(values[:, 3:], steps / steps.square().mean().sqrt())


def test_still_video_has_no_motion():
    assert not planes_in_time(grey(90, 90, 90, 90))[:, :, 3:].any()


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_planes_in_time_are_the_planes_of_frames_with_their_neighbours_to_the_bit(n):
    maps = torch.randint(0, 255, (3, n, 32, 32, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(n))
    assert torch.equal(planes_in_time(maps), planes(neighbours(maps)))
    colour = neighbours(maps)[..., :3].float() / 128.0 - 1.0
    brightness = colour.mean(-1)
    change = brightness[:, :, [0, 1, 3, 4]] - brightness[:, :, 2:3]
    assert torch.equal(planes_in_time(maps)[:, :, :3], colour[:, :, 2].movedim(-1, 2))
    assert torch.equal(planes_in_time(maps)[:, :, 3:], unit_size(change))


@torch.no_grad()
def test_a_frame_encoder_sees_motion_two_frames_away_and_no_further():
    encoder = FrameEncoder(16, 8)
    torch.manual_seed(0)
    maps = torch.randint(0, 255, (2, 9, 16, 16, 6), dtype=torch.uint8)
    before = encoder(maps)
    moved = maps.clone()
    moved[..., 3:] = 0  # the cached changes are not used
    assert torch.equal(encoder(moved), before)
    moved[:, 4, :, :, :3] = moved[:, 4, :, :, :3].flip(1)  # as bright on the whole: another place
    after = encoder(moved)
    apart = (after - before).abs().amax((0, 2))
    assert bool((apart[2:7] > 1e-2).all())
    # all differences of a clip are scaled together, which moves the others a little
    assert float(apart[[0, 1, 7, 8]].max()) < 0.2 * float(apart[2:7].min())


@torch.no_grad()
def test_the_order_of_frames_counts():
    """An encoder of single frames says the same of a video played backwards, frame by frame."""
    encoder = FrameEncoder(16, 8)
    torch.manual_seed(0)
    maps = torch.randint(0, 255, (1, 7, 16, 16, 6), dtype=torch.uint8)
    backwards = encoder(maps.flip(1)).flip(1)
    assert not torch.allclose(backwards[:, 3], encoder(maps)[:, 3], atol=1e-2)


def test_frames_of_a_pretext_task_come_with_their_neighbours(toy_data):
    generator = torch.Generator().manual_seed(0)
    seen = _seen(toy_data, torch.tensor([0, 5]), generator, torch.device("cpu"))
    assert seen.shape == (2, 8, 7, toy_data.settings.cells, toy_data.settings.cells)
    drawn = torch.rand(2, 8, generator=torch.Generator().manual_seed(0))
    for row, clip in enumerate((0, 5)):
        frames, _ = toy_data.video(clip)
        at = ((torch.arange(8) + drawn[row]) / 8 * len(frames)).long()
        stacks = neighbours(frames[None])[:, at]
        torch.testing.assert_close(seen[row], planes(stacks)[0])


def test_a_hidden_patch_does_not_leak_and_its_motion_neither():
    encoder = FrameEncoder(16, 8)
    seen = torch.randn(1, 1, 7, 16, 16)
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    mask[0, 1, 2] = True
    for plane in (0, 2, 3, 6):
        changed = seen.clone()
        changed[0, 0, plane, 4:8, 8:12] = 0
        assert torch.equal(encoder.encode(seen, mask), encoder.encode(changed, mask))
        assert not torch.equal(encoder.encode(seen), encoder.encode(changed))


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
