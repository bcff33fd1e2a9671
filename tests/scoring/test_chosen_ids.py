"""Which clips ``--ids`` chooses: clips by their ids, or all clips of a video by its id."""

import pytest

from foleybench.errors import FoleyError
from foleybench.lists.subsets import Subset
from foleybench.scoring.evaluate import chosen_ids
from foleybench.shards.dataset import ShardDataset


def test_clips_and_videos(clicks):
    data = ShardDataset(clicks)
    first, second = data.entries()[:2]
    for name in (first.clip_id, first.source_id):
        assert chosen_ids(data, Subset(name="one", sha256="", ids=frozenset({name}))) == [first.clip_id]
    assert first.source_id not in (first.clip_id, second.source_id)
    with pytest.raises(FoleyError, match="none of the 1 clips"):
        chosen_ids(data, Subset(name="one", sha256="", ids=frozenset({"nothere"})))
