"""When a video moves most, by optical flow."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from foleybench.api.encoder import Signal
from foleybench.encoders.flow_peaks import ENCODER, flow_maxima, mean_flow

SIZE = 96
TEXTURE = gaussian_filter(np.random.default_rng(0).uniform(0, 255, (SIZE, SIZE)), 2, mode="wrap")
TEXTURE = np.uint8(255 * (TEXTURE - TEXTURE.min()) / np.ptp(TEXTURE))


def sliding(steps_px, size=1):
    """Frames of a texture that slides to the right by these numbers of pixels; every pixel ``size`` wide and high."""
    places = np.concatenate([[0], np.cumsum(steps_px)]).astype(int)
    grey = np.stack([np.roll(TEXTURE, place, axis=1) for place in places])
    grey = grey.repeat(size, axis=1).repeat(size, axis=2)
    return np.repeat(grey[..., None], 3, axis=3)


def features(frames, fps=25.0):
    times_s = np.arange(len(frames)) / fps
    signal = Signal(audio=np.zeros(0, np.float32), duration_s=len(frames) / fps, frames=frames, frame_times_s=times_s)
    return ENCODER.build("cpu")([signal])[0]


def test_flow_is_the_distance_that_the_picture_moves():
    found = mean_flow(sliding([0, 1, 2, 3, 1]))
    assert found == pytest.approx([0, 1, 2, 3, 1], abs=0.15)


def test_large_frames_are_scaled_down_and_small_ones_left():
    """A texture of 96 pixels, each five wide: 480, so 256, so a step of five pixels is 2.67."""
    assert mean_flow(sliding([1, 2], size=5)) == pytest.approx([2.67, 5.33], abs=0.3)
    assert mean_flow(sliding([1, 2], size=2)) == pytest.approx([2, 4], abs=0.3)


def test_peaks_by_hand():
    """Frame 3 and frame 7 are those to which the picture moves most; the first and the last frame never are."""
    found = features(sliding([3, 0, 2, 1, 0, 1, 4, 1, 0, 2]))
    assert found["peaks_s"] == pytest.approx([3 / 25, 7 / 25])
    assert found["frame_s"] == pytest.approx(0.04)
    assert found["peaks_s"].dtype == found["frame_s"].dtype == np.float64


def test_times_are_those_of_the_video():
    times_s = np.array([0.0, 0.1, 0.2, 0.7, 0.8])
    assert flow_maxima(np.array([1.0, 1.0, 5.0, 1.0]), times_s).tolist() == [0.7]
    signal = Signal(audio=np.zeros(0, np.float32), duration_s=1.0, frames=sliding([1, 1, 4, 1]), frame_times_s=times_s)
    found = ENCODER.build("cpu")([signal])[0]
    assert found["peaks_s"].tolist() == [0.7]
    assert found["frame_s"] == pytest.approx(0.1)


def test_movement_below_a_tenth_of_a_pixel_is_no_peak():
    assert flow_maxima(np.array([0.0, 0.0999, 0.0, 0.1, 0.0]), np.arange(6.0)).tolist() == [4.0]


def test_a_plateau_is_no_peak():
    assert flow_maxima(np.array([1.0, 3.0, 3.0, 1.0]), np.arange(5.0)).tolist() == []
    assert flow_maxima(np.array([3.0, 1.0, 1.0]), np.arange(4.0)).tolist() == []  # the first two frames share a value


@pytest.mark.parametrize("n", [0, 1, 2, 3, 9])
def test_still_and_short_videos_have_none(n):
    found = features(np.full((n, 40, 56, 3), 90, np.uint8))
    assert len(found["peaks_s"]) == 0
    assert found["frame_s"] == pytest.approx(0.04 if n > 1 else 0.0)
