"""Windows of a stream: the video frames of the same times."""

import pytest
import torch

from foleymodels._parts.windows import Windows


def test_frames_are_cut_at_the_times_of_the_windows():
    """20 tokens at 10 Hz in windows of 12 start at 0 and 0.8 s: frames 0 and 4 of 5 a second, 1.2 s and one more."""
    windows = Windows.cover(20, 12)
    assert windows.starts == (0, 8)
    frames = torch.arange(20)[None].repeat(2, 1) + torch.tensor([[0], [100]])
    cut = windows.split_frames(frames, token_hz=10.0, grid_hz=5.0)
    assert cut.tolist() == [[*range(7)], [*range(4, 11)], [*range(100, 107)], [*range(104, 111)]]


def test_the_last_window_ends_with_the_last_frame():
    windows = Windows.cover(20, 12)
    cut = windows.split_frames(torch.arange(10)[None], token_hz=10.0, grid_hz=5.0)
    assert cut.tolist() == [[*range(7)], [*range(3, 10)]]


@pytest.mark.parametrize("n_frames", [1, 3, 10])
def test_one_window_has_all_frames_that_there_are(n_frames):
    windows = Windows.cover(20, 40)
    frames = torch.randn(2, n_frames, 4, 4, 6)
    assert torch.equal(windows.split_frames(frames, token_hz=10.0, grid_hz=5.0), frames)
