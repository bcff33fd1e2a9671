"""Clips longer than the context: each window goes on from what is written."""

import torch

from foleymodels._autoregression.writer import Writing, continued, to_draw
from foleymodels._parts.code_sampling import CodeSampling
from foleymodels._parts.windows import Windows


def test_windows_keep_what_is_written_and_add_the_rest():
    """The writer of this test gives the position, and in the hundreds the number of the window."""
    windows, calls = Windows.cover(20, 8), []

    def write(first, known):
        calls.append((first, known[0, :, 0].tolist()))
        forced = to_draw(known, 8)
        new = torch.arange(first, first + 8)[None, :, None] + 100 * len(calls)
        return torch.where(forced >= 0, forced, new)

    codes = continued(windows, write, torch.zeros(1, 0, 1, dtype=torch.int64))
    assert windows.starts == (0, 6, 12)
    assert codes[0, :, 0].tolist() == [*range(100, 108), *range(208, 214), *range(314, 320)]
    assert calls == [(0, []), (6, [106, 107]), (12, [212, 213])]


def test_places_to_draw_follow_the_known_ones():
    known = torch.tensor([[[3, 4]]])
    assert to_draw(known, 3).tolist() == [[[3, 4], [-1, -1], [-1, -1]]]


def test_guidance_by_hand():
    """Rows with the video come first; 2 at scale 3 from 1 without it is 1 + 3 * (2 - 1)."""
    how = Writing(sampling=CodeSampling(), guidance=3.0)
    assert how.twice(torch.tensor([7, 8])).tolist() == [7, 8, 7, 8]
    assert how.dropped(2, torch.device("cpu")).tolist() == [False, False, True, True]
    assert how.logits(torch.tensor([[2.0], [1.0]])).tolist() == [[4.0]]
    plain = Writing(sampling=CodeSampling())
    assert plain.twice(torch.tensor([7])).tolist() == [7]
    assert plain.dropped(1, torch.device("cpu")).tolist() == [False]
    assert plain.logits(torch.tensor([[2.0]])).tolist() == [[2.0]]
