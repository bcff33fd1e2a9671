import numpy as np
import pytest
import torch

from foleybench.errors import FoleyError
from foleybench.metrics import kld_mini, kld_passt
from foleybench.metrics._math.divergence import kl_divergence
from tests.metrics.views import view

GENERATED = np.float32(np.random.RandomState(2).standard_normal((64, 527)) * 3)
REFERENCE = np.float32(np.random.RandomState(3).standard_normal((64, 527)) * 3)


@pytest.mark.parametrize(
    ("p", "q", "wanted"),
    [
        ([0.05, 0.1, 0.2, 0.05, 0.15, 0.25, 0.08, 0.12], [0.3, 0.1, 0.2, 0.1, 0.1, 0.02, 0.08, 0.1], 0.589885181619163),
        ([0.1, 0.4, 0.5], [0.8, 0.15, 0.05], 1.3356800935337299),
        ([9 / 25, 12 / 25, 4 / 25], [1 / 3, 1 / 3, 1 / 3], 0.0853),
        ([0.5, 0.5], [0.5, 0.5], 0.0),
    ],
)
def test_values_of_published_toy_cases(p, q, wanted):
    assert kl_divergence(np.log(p), np.log(q)) == pytest.approx(wanted, abs=5e-5 if wanted == 0.0853 else 1e-12)


@pytest.mark.parametrize("metric", [kld_mini.METRIC, kld_passt.METRIC])
def test_golden_value_of_av_benchmark(metric):
    stats = [metric.per_clip(view({"reference": r, "generated": g})) for r, g in zip(REFERENCE, GENERATED, strict=True)]
    assert metric.pool(stats) == pytest.approx(7.470556259155273, rel=1e-7)


def test_agrees_with_torch():
    for reference, generated in zip(REFERENCE, GENERATED, strict=True):
        log_p, log_q = (torch.log_softmax(torch.from_numpy(x).double(), 0) for x in (reference, generated))
        wanted = torch.nn.functional.kl_div(log_q, log_p, reduction="sum", log_target=True)
        assert kl_divergence(reference.astype(float), generated.astype(float)) == pytest.approx(
            float(wanted), rel=1e-12
        )


def test_direction_and_invariance():
    reference, generated = np.array([4.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.0])
    assert kl_divergence(reference, generated) != pytest.approx(kl_divergence(generated, reference), rel=0.05)
    assert kl_divergence(reference + 9.0, generated - 5.0) == pytest.approx(kl_divergence(reference, generated))


def test_peaked_posteriors_are_not_bounded_by_an_epsilon():
    assert kl_divergence(np.array([60.0, 0.0]), np.array([0.0, 60.0])) == pytest.approx(60.0)


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(FoleyError, match="not finite"):
        kld_mini.METRIC.per_clip(view({"reference": [0.0, 1.0], "generated": [np.nan, 1.0]}))
