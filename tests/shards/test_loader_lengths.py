"""How many batches a loader has, and what it says when there are none to share."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from foleybench.errors import FoleyError
from foleybench.shards.loader import ClipLoader
from foleybench.shards.stream import ShardStream


@pytest.mark.parametrize(
    ("batch_size", "world", "equal"),
    [(1, 1, False), (4, 1, False), (2, 4, False), (2, 4, True), (5, 2, True), (2, 8, False)],
)
def test_d13_the_length_is_the_number_of_batches(clicks: Path, batch_size: int, world: int, equal: bool):
    """D13: ``len(loader)``, on every rank, with clips left over or not; after a batch it is one less."""
    for rank in range(world):
        loader = ClipLoader(ShardStream(clicks), batch_size=batch_size, rank=rank, world=world, equal=equal)
        whole = len(loader)
        assert whole == len(list(loader))
        for _ in itertools.islice(loader, 1):
            assert len(loader) == whole - 1


@pytest.mark.parametrize(("world", "num_workers"), [(8, 0), (4, 2)])
def test_d13_fewer_clips_than_readers_cannot_be_shared_equally(clicks: Path, world: int, num_workers: int):
    """D13: six clips among eight readers; not a silent epoch of nothing."""
    loader = ClipLoader(ShardStream(clicks), batch_size=2, rank=0, world=world, equal=True, num_workers=num_workers)
    assert len(loader) == 0
    with pytest.raises(FoleyError, match=r"6 clips cannot be shared equally by 8 readers"):
        list(loader)


@pytest.mark.parametrize(("batch_size", "num_workers"), [(0, 0), (-1, 0), (2, -1)])
def test_numbers_that_make_no_batches_are_refused(clicks: Path, batch_size: int, num_workers: int):
    with pytest.raises(FoleyError, match="batch_size"):
        ClipLoader(ShardStream(clicks), batch_size=batch_size, num_workers=num_workers)
