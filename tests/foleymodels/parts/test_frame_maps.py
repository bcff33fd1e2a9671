import numpy as np
import pytest
import torch

from foleymodels._parts import frame_maps
from foleymodels._parts.frame_maps import N_QUANTITIES, VideoEncoder, observe


def still(n=10, side=64, level=100):
    return np.full((n, side, side, 3), level, dtype=np.uint8)


def times(n, fps=25.0):
    return np.arange(n) / fps


def test_a_still_grey_picture_has_colour_and_no_change():
    maps = observe(still(), times(10), 0.4, 25.0, 16)
    assert maps.shape == (10, 16, 16, N_QUANTITIES)
    assert maps.dtype == np.uint8
    assert (maps[..., :3] == 100).all()
    assert (maps[..., 3] == 128).all()
    assert (maps[..., 4:] == 0).all()


def test_a_small_mark_shows_in_the_largest_change_where_and_when_it_is():
    frames = still()
    frames[4:, 9, 14] = 130  # one pixel of cell (2, 3), from frame 4 on
    maps = observe(frames, times(10), 0.4, 25.0, 16)
    assert maps[4, 2, 3, 5] == 120  # 30 times the gain of 4
    assert maps[4, 2, 3, 4] == 8  # 30 / 16 pixels times 4, rounded to even
    assert maps[4, 2, 3, 3] == 130
    assert np.argwhere(maps[..., 5]).tolist() == [[4, 2, 3]]


@pytest.mark.parametrize("side", [32, 48, 64, 65, 200])
def test_any_size_gives_the_same_map(side):
    assert (observe(still(3, side), times(3), 0.12, 25.0, 8)[..., :3] == 100).all()


def test_wide_pictures_are_squeezed():
    frames = np.zeros((2, 64, 128, 3), dtype=np.uint8)
    frames[:, :, 64:] = 200
    maps = observe(frames, times(2), 0.08, 25.0, 16)
    assert (maps[:, :, :8, 0] == 0).all()
    assert (maps[:, :, 8:, 0] == 200).all()


@pytest.mark.parametrize("fps", [5.0, 12.5, 23.976, 30.0, 60.0])
def test_any_rate_shows_what_is_on_screen(fps):
    duration_s = 2.0
    n = round(duration_s * fps)
    frames = still(n)
    frames[times(n, fps) >= 1.0] = 200
    maps = observe(frames, times(n, fps), duration_s, 25.0, 16)
    assert len(maps) == 50
    lit = maps[:, 0, 0, 0] == 200
    first = times(n, fps)[times(n, fps) >= 1.0][0]
    expected = np.arange(50) / 25.0 + 0.5 / max(25.0, fps) >= first - 1e-9
    assert (lit == expected).all()


@pytest.mark.parametrize("fps", [25.0, 50.0, 75.0, 100.0])
def test_a_frame_is_seen_at_its_own_time_whatever_the_rate(fps):
    """The same moments filmed at a multiple of the rate give the same maps, but for what moves in between."""
    moments = np.random.default_rng(0).integers(0, 255, (50, 1, 1, 1)).astype(np.uint8)
    frames = np.full((round(2.0 * fps), 8, 8, 3), 7, dtype=np.uint8)
    frames[:: round(fps / 25.0)] = moments
    maps = observe(frames, times(len(frames), fps), 2.0, 25.0, 8)
    assert (maps[:, 0, 0, 0] == moments[:, 0, 0, 0]).all()


def test_a_frame_that_was_dropped_moves_no_other():
    frames = np.arange(100, dtype=np.uint8).repeat(8 * 8 * 3).reshape(100, 8, 8, 3)
    kept = np.delete(np.arange(100), 41)
    maps = observe(frames[kept], kept / 50.0, 2.0, 25.0, 8)
    assert maps[:, 0, 0, 0].tolist() == list(range(0, 100, 2))


def test_a_single_frame_is_seen_throughout():
    assert (observe(still(1), np.array([0.0]), 1.0, 25.0, 8)[..., 0] == 100).all()


def test_uneven_timestamps_are_followed():
    frames = still(3)
    frames[1], frames[2] = 150, 200
    maps = observe(frames, np.array([0.0, 0.1, 0.9]), 1.0, 10.0, 8)
    assert maps[:, 0, 0, 0].tolist() == [100] + [150] * 8 + [200]


def test_encoder_does_not_care_for_contrast():
    torch.manual_seed(0)
    encoder = VideoEncoder(8, (8, 8, 8), 16)
    rng = np.random.default_rng(0)
    noise = rng.integers(-10, 10, (20, 64, 64, 1))
    faint, strong = (np.clip(128 + gain * noise, 0, 255).astype(np.uint8).repeat(3, -1) for gain in (1, 4))
    features = [
        encoder(torch.from_numpy(observe(frames, times(20), 0.8, 25.0, 8))[None]).detach() for frames in (faint, strong)
    ]
    assert float(torch.nn.functional.cosine_similarity(*features, dim=-1).mean()) > 0.9


def moving(across):
    """Maps of a lit square of four cells that comes down and turns in frame 5, at a place."""
    maps = torch.full((1, 11, 64, 64, N_QUANTITIES), 60, dtype=torch.uint8)
    for k in range(11):
        down = 16 + 2 * (5 - abs(k - 5))
        maps[0, k, down : down + 4, across : across + 4] = 200
    return maps


def test_the_same_motion_looks_the_same_at_another_place():
    torch.manual_seed(0)
    encoder = VideoEncoder(64, (8, 8, 8), 16)
    with torch.inference_mode():
        here, there = (encoder.maps(frame_maps._planes_in_time(moving(at))) for at in (16, 32))
    assert torch.allclose(here.amax((2, 3)), there.amax((2, 3)), atol=1e-5)
    assert not torch.allclose(here, there, atol=1e-2)


def test_a_frame_is_seen_with_two_to_each_side_before_anything_is_pooled():
    planes = frame_maps._planes_in_time(moving(16)).unflatten(0, (1, 11))[0]
    assert planes.shape == (11, 8, 64, 64)
    changed = moving(16)
    changed[0, 9] = 60
    other = frame_maps._planes_in_time(changed).unflatten(0, (1, 11))[0]
    own, around = planes[:, 3], planes[:, 4:]
    assert torch.allclose(around[4, 0], own[2] - own[4])
    assert torch.allclose(around[4, 3], own[6] - own[4])
    assert torch.allclose(around[0, 1], torch.zeros(64, 64))  # before the start, the first frame stands still
    motion = (other - planes)[:, 4:].flatten(1).abs().amax(1)
    assert set((motion > 0.5).nonzero()[:, 0].tolist()) == {7, 8, 9, 10}


def test_a_feature_has_six_frames_to_each_side_in_it():
    """Two frames change places: their mean and their size over time stay, so only the convolutions can tell."""
    maps = torch.randint(0, 255, (1, 40, 16, 16, N_QUANTITIES), generator=torch.Generator().manual_seed(0)).byte()
    changed = maps.clone()
    changed[:, [20, 21]] = maps[:, [21, 20]]
    torch.manual_seed(0)
    encoder = VideoEncoder(16, (4, 4, 4), 8)
    with torch.no_grad():
        moved = (encoder(changed) - encoder(maps)).abs().amax((0, 2))
    assert (moved > 1e-5).nonzero()[:, 0].tolist() == list(range(20 - 6, 21 + 6 + 1))
