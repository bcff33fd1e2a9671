"""What the scorer takes from a manifest."""

import pytest

from foleybench.scoring.scorer import caption_of
from foleybench.shards.manifest import Entry


@pytest.mark.parametrize(
    ("label", "facts", "expected"),
    [
        ("bell", {"caption": "A bell rings twice."}, "A bell rings twice."),
        ("bell", {}, "bell"),
        ("bell", {"caption": ""}, "bell"),
        ("", {}, ""),
    ],
)
def test_the_caption_is_the_manifests_and_else_the_label(label, facts, expected):
    entry = Entry(clip_id="a", source="", source_id="a", label=label, status="ok", facts=facts)
    assert caption_of(entry) == expected
