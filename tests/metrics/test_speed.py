import math

import pytest

from foleybench.errors import FoleyError
from foleybench.metrics.real_time_factor import METRIC as FACTOR
from foleybench.metrics.seconds_per_clip import METRIC as SECONDS
from tests.metrics.views import view


def test_values_by_hand():
    clips = [view(seconds=1.0, duration_s=10.0), view(seconds=2.0, duration_s=5.0)]
    assert SECONDS.pool([SECONDS.per_clip(clip) for clip in clips]) == pytest.approx(1.5)
    assert FACTOR.pool([FACTOR.per_clip(clip) for clip in clips]) == pytest.approx(0.2)


@pytest.mark.parametrize("metric", [SECONDS, FACTOR])
def test_without_a_report_there_is_no_value(metric):
    assert metric.per_clip(view(seconds=None)) is None
    assert math.isnan(metric.pool([]))
    assert "does not say how long generation took" in metric.undefined


@pytest.mark.parametrize("metric", [SECONDS, FACTOR])
def test_a_time_that_is_not_finite_is_refused(metric):
    with pytest.raises(FoleyError, match="not finite"):
        metric.per_clip(view(seconds=float("nan")))


def test_a_clip_of_no_length_has_no_factor():
    assert FACTOR.per_clip(view(seconds=1.0, duration_s=0.0)) is None
