"""The order of an epoch: every position once, decided by seed and epoch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from foleybench.errors import FoleyError
from foleybench.shards.sampling_order import Order, advanced, left_over, runs, sequence

# Clips in each of five shards.
SIZES = (7, 1, 12, 3, 9)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(("n_readers", "window"), [(1, 8), (2, 1), (5, 1000), (31, 8), (32, 3), (40, 3)])
def test_runs_hold_every_position_once_and_differ_by_one(n_readers: int, window: int, shuffle: bool):
    starts = np.cumsum([0, *SIZES])
    order = Order(seed=3, epoch=2, window=window, shuffle=shuffle)
    reading = sequence(starts, np.arange(sum(SIZES)), order)
    found = runs(reading, n_readers, order)
    assert sorted(np.concatenate([run.yielding for run in found])) == list(range(sum(SIZES)))
    assert {len(run.yielding) for run in found} <= {sum(SIZES) // n_readers, -(-sum(SIZES) // n_readers)}
    for run in found:
        where = {position: place for place, position in enumerate(run.reading.tolist())}
        moved = [abs(place - where[position]) for place, position in enumerate(run.yielding.tolist())]
        assert max(moved, default=0) < max(window, 1)


def test_a_sequence_reads_one_shard_after_the_other():
    starts = np.cumsum([0, *SIZES])
    kept = np.setdiff1d(np.arange(sum(SIZES)), [0, 5, 20])
    reading = sequence(starts, kept, Order(seed=1))
    shards = np.searchsorted(starts, reading, side="right") - 1
    assert len(list(itertools.groupby(shards))) == len(SIZES)
    assert sorted(reading) == kept.tolist()
    assert not np.array_equal(reading, kept)
    assert not np.array_equal(reading, sequence(starts, kept, Order(seed=1, epoch=1)))


@pytest.mark.parametrize("other", [Order(seed=4, epoch=2, window=9), Order(seed=3, epoch=3, window=9)])
def test_seed_and_epoch_each_decide_both_shuffles(other: Order):
    """Once over the shards, once within a reader's run; the same order twice is the same."""
    first, starts, kept = Order(seed=3, epoch=2, window=9), np.cumsum([0, *SIZES]), np.arange(sum(SIZES))
    assert np.array_equal(sequence(starts, kept, first), sequence(starts, kept, Order(seed=3, epoch=2, window=9)))
    assert not np.array_equal(sequence(starts, kept, first), sequence(starts, kept, other))
    within, again, elsewhere = (runs(kept, 2, order) for order in (first, first, other))
    for one, same, another in zip(within, again, elsewhere, strict=True):
        assert np.array_equal(one.yielding, same.yielding)
        assert not np.array_equal(one.yielding, another.yielding)
    assert not np.array_equal(within[0].yielding, within[1].yielding - len(within[0].yielding))


def test_what_is_left_over_is_what_was_not_yielded():
    order = Order(window=6)
    before = runs(np.arange(20), 3, order)
    left = left_over(before, [2, 0, 7])
    gone = np.concatenate([before[0].yielding[:2], before[2].yielding[:7]])
    assert sorted([*left, *gone]) == list(range(20))
    assert len(advanced(before[1], 7).yielding) == 0
    for wrong in ([1, 1], [7, 0, 0]):
        with pytest.raises(FoleyError, match="does not fit"):
            left_over(before, wrong)
