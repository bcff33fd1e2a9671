"""Means of Audiobox ratings."""

import pytest

from foleybench import registry
from tests.metrics.views import view

AXES = {"enjoyment": "CE", "usefulness": "CU", "complexity": "PC", "quality": "PQ"}


@pytest.mark.parametrize(("layer", "axis"), AXES.items())
def test_mean_of_its_own_axis(layer, axis):
    metric = registry.load("metrics", f"aesthetics_{layer}")
    assert metric.needs["rating"].layer == layer
    assert metric.title.endswith(f"({axis})")
    stats = [metric.per_clip(view({"rating": rating})) for rating in (2.0, 7.5)]
    assert metric.pool(stats) == 4.75
    assert metric.clip_value(stats[1]) == 7.5


def test_only_complexity_counts_down():
    better = {layer: registry.load("metrics", f"aesthetics_{layer}").better for layer in AXES}
    assert better == dict.fromkeys(AXES, "higher") | {"complexity": "lower"}
