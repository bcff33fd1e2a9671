"""Contact sheets: written, of the right size, marks where the events are."""

import matplotlib.image
import numpy as np
import pytest

from foleybench.synthfoley import ClipSpec, render_clip
from foleybench.synthfoley.contact_sheet import contact_sheet, corpus_sheets


def clip(label):
    return render_clip(ClipSpec(clip_id="s_000000", source_id="s", label=label, split="test", duration_s=1.5))


@pytest.mark.slow
def test_a_sheet_grows_with_its_clips(tmp_path):
    contact_sheet([clip("bounce_bar")], tmp_path / "deep" / "one.png")
    contact_sheet([clip("bounce_bar"), clip("bow_saw")], tmp_path / "two.png")
    one, two = (matplotlib.image.imread(tmp_path / name) for name in ("deep/one.png", "two.png"))
    assert one.shape[1] == two.shape[1] == 1300
    assert two.shape[0] > 1.7 * one.shape[0]
    assert np.std(one[..., :3]) > 0.1


def test_one_sheet_a_class_and_an_overview(tmp_path):
    paths = corpus_sheets(tmp_path, [[clip("hammer_bell")], [clip("wheel_card")]])
    assert [path.name for path in paths] == ["hammer_bell.png", "wheel_card.png", "overview.png"]
    assert all(path.stat().st_size > 10000 for path in paths)
