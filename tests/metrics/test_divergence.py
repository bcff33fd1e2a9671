import numpy as np
import pytest
import torch
from scipy.special import expit, rel_entr

from foleybench.errors import FoleyError
from foleybench.metrics import kld_mini, kld_panns, kld_passt
from foleybench.metrics._math.divergence import bernoulli_divergence, half_bernoulli, kl_divergence
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


@pytest.mark.parametrize("metric", [kld_panns.METRIC, kld_passt.METRIC])
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


def test_divergence_of_several_classes_by_hand():
    """Certain of the first class, undecided on the second; heard: the second alone."""
    reference, generated = np.log([9.0, 1.0]), np.log([1 / 9, 3.0])
    wanted = 0.9 * np.log(9) + 0.1 * np.log(1 / 9) + 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert bernoulli_divergence(reference, generated) == pytest.approx(wanted, rel=1e-12)
    assert kld_mini.METRIC.per_clip(view({"reference": reference, "generated": generated}))["kl"] == pytest.approx(
        wanted
    )


def test_divergence_of_several_classes_agrees_with_torch_and_scipy():
    for reference, generated in zip(REFERENCE.astype(float), GENERATED.astype(float), strict=True):
        p, q = (torch.distributions.Bernoulli(logits=torch.from_numpy(x)) for x in (reference, generated))
        found = bernoulli_divergence(reference, generated)
        assert found == pytest.approx(float(torch.distributions.kl_divergence(p, q).sum()), rel=1e-12)
        assert found == pytest.approx(
            (rel_entr(expit(reference), expit(generated)) + rel_entr(expit(-reference), expit(-generated))).sum(),
            rel=1e-12,
        )


def test_divergence_of_several_classes_counts_what_lacks_and_what_is_added():
    """The half that peers report has no lower bound: more of everything is better there, and worse here."""
    reference = np.array([4.0, -4.0, -4.0])
    assert bernoulli_divergence(reference, reference) == 0.0
    assert half_bernoulli(reference, np.full(3, 9.0)) < 0.0 < bernoulli_divergence(reference, np.full(3, 9.0))
    lacking, added = np.array([-4.0, -4.0, -4.0]), np.array([4.0, 4.0, -4.0])
    assert bernoulli_divergence(reference, lacking) == pytest.approx(bernoulli_divergence(reference, added))
    silence = np.full(3, -12.0)
    assert bernoulli_divergence(reference, silence) > bernoulli_divergence(reference, np.array([-4.0, 4.0, -4.0]))
    assert bernoulli_divergence(np.array([800.0]), np.array([-800.0])) == pytest.approx(800.0)
