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


def test_beyond_the_end_the_last_frame_is_seen():
    windows = Windows.cover(20, 12)
    cut = windows.split_frames(torch.arange(10)[None], token_hz=10.0, grid_hz=5.0)
    assert cut.tolist() == [[*range(7)], [*range(4, 10), 9]]


@pytest.mark.parametrize("n", [63, 64, 80, 94, 157, 360, 1000])
def test_frames_and_tokens_of_a_window_start_together(n):
    """15.625 tokens and 25 frames a second: every fifth token starts with a frame, every eighth."""
    windows = Windows.cover(n, 63, 5)
    frames = torch.arange(round(n * 1.6))[None]
    cut = windows.split_frames(frames, token_hz=15.625, grid_hz=25.0)
    assert [int(part[0]) for part in cut] == [start * 8 // 5 for start in windows.starts]
    assert all(start % 5 == 0 for start in windows.starts)
    steps = [b - a for a, b in zip(windows.starts, windows.starts[1:], strict=False)]
    assert max(steps, default=0) <= 45  # at least a quarter is in two windows, less what is no whole unit
    assert windows.starts[-1] + 63 >= n


@pytest.mark.parametrize("unit", [1, 5, 40, 100])
def test_windows_put_together_are_the_sequence(unit):
    windows = Windows.cover(150, 63, unit)
    longer = torch.randn(1, windows.starts[-1] + windows.length, 3)
    assert torch.allclose(windows.merge(windows.split(longer)), longer[:, :150], atol=1e-6)


@pytest.mark.parametrize("n_frames", [1, 3, 10])
def test_one_window_has_all_frames_that_there_are(n_frames):
    windows = Windows.cover(20, 40)
    frames = torch.randn(2, n_frames, 4, 4, 6)
    assert torch.equal(windows.split_frames(frames, token_hz=10.0, grid_hz=5.0), frames)
