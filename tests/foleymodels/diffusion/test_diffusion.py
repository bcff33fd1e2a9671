"""Diffusion against closed forms: marginals, conversions, and a Gaussian whose exact score is known."""

import math

import numpy as np
import pytest
import torch

from foleybench.errors import FoleyError, UnknownNameError
from foleymodels._diffusion.guidance import classifier_guided, descend, differentiable, gradient
from foleymodels._diffusion.process import PREDICTIONS, Process
from foleymodels._diffusion.samplers import METHODS, denoise
from foleymodels._diffusion.schedule import SCHEDULES, noise_schedule

MEAN, SPREAD = 1.5, 0.4


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def exact(process):
    """Return the network of N(MEAN, SPREAD^2): its data estimate is a posterior mean."""

    def denoiser(x, t):
        alpha, sigma = process.schedule.alpha(t)[:, None], process.schedule.sigma(t)[:, None]
        gain = alpha * SPREAD**2 / (alpha**2 * SPREAD**2 + sigma**2)
        data = MEAN + gain * (x - alpha * MEAN)
        return process.target(data, (x - alpha * data) / sigma, t)

    return denoiser


def truth(process, noise, end):
    """Return where the probability flow of that Gaussian ends: every quantile goes to the same quantile."""
    start, end = (torch.tensor([time], dtype=noise.dtype) for time in (1.0, end))

    def moments(t):
        alpha, sigma = process.schedule.alpha(t), process.schedule.sigma(t)
        return alpha * MEAN, (alpha**2 * SPREAD**2 + sigma**2).sqrt()

    (first_mean, first_spread), (mean, spread) = moments(start), moments(end)
    return mean + spread * (noise - first_mean) / first_spread


def test_scaled_linear_is_the_product_of_its_betas():
    betas = np.linspace(math.sqrt(0.00085), math.sqrt(0.012), 1000) ** 2
    kept = np.cumprod(1 - betas)
    schedule = noise_schedule("scaled_linear")
    t = torch.arange(1, 1001, dtype=torch.float64) / 1000
    np.testing.assert_allclose(schedule.alpha(t).square().numpy(), kept, rtol=1e-9)
    assert kept[-1] == pytest.approx(0.0047, abs=1e-4)  # what Stable Diffusion ends with: not quite noise
    between = torch.tensor([0.2505], dtype=torch.float64)  # half way in log(alpha)
    assert float(schedule.alpha(between)) == pytest.approx((kept[249] * kept[250]) ** 0.25, rel=1e-9)


def test_cosine_is_a_cosine():
    schedule = noise_schedule("cosine")
    t = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    wanted = torch.cos((t + 0.008) / 1.008 * math.pi / 2) / math.cos(0.008 / 1.008 * math.pi / 2)
    torch.testing.assert_close(schedule.alpha(t), wanted, rtol=1e-9, atol=0)
    assert 0 < float(schedule.alpha(torch.ones(1))) < 1e-3


@pytest.mark.parametrize("name", SCHEDULES)
def test_weights_keep_the_variance_and_begin_at_the_data(name):
    schedule = noise_schedule(name)
    t = torch.linspace(0, 1, 77, dtype=torch.float64)
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones(77, dtype=torch.float64))
    assert (alpha[0], sigma[0]) == (1, 0)
    assert bool((alpha.diff() < 0).all())
    torch.testing.assert_close(schedule.log_ratio(t[1:]), torch.log(alpha[1:] / sigma[1:]), rtol=1e-6, atol=1e-9)


def test_the_forward_process_has_its_marginals():
    process = Process.of("scaled_linear", "noise")
    data = torch.full((200_000, 1), 2.0)
    for time in (0.1, 0.5, 1.0):
        t = torch.full((len(data),), time)
        x = process.mix(data, torch.randn(data.shape, generator=generator()), t)
        alpha, sigma = float(process.schedule.alpha(t[0])), float(process.schedule.sigma(t[0]))
        assert float(x.mean()) == pytest.approx(2 * alpha, abs=0.01)
        assert float(x.std()) == pytest.approx(sigma, rel=0.01)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("predicts", PREDICTIONS)
def test_a_prediction_gives_data_and_noise_back(schedule, predicts):
    process = Process.of(schedule, predicts)
    data, noise = torch.randn(2, 5, 3, dtype=torch.float64, generator=generator())
    t = torch.tensor([0.05, 0.3, 0.5, 0.8, 0.95], dtype=torch.float64)
    x = process.mix(data, noise, t)
    found = process.ends(x, process.target(data, noise, t), t)
    torch.testing.assert_close(found.data, data)
    torch.testing.assert_close(found.noise, noise)


def test_v_is_what_salimans_and_ho_write():
    process = Process.of("cosine", "v")
    data, noise, t = torch.tensor([[2.0]]), torch.tensor([[-1.0]]), torch.tensor([0.4])
    alpha, sigma = float(process.schedule.alpha(t)), float(process.schedule.sigma(t))
    assert float(process.target(data, noise, t)) == pytest.approx(-alpha - 2 * sigma)


@pytest.mark.parametrize("predicts", PREDICTIONS)
def test_the_loss_is_the_error_of_the_prediction(predicts):
    """A network that says 0 has the size of its target as error; a perfect one has none."""
    process = Process.of("scaled_linear", predicts)
    data = torch.randn(4000, 2, generator=generator(3)) + 1.0
    wanted = {"noise": 1.0, "data": 2.0}
    silent = float(process.loss(lambda x, t: torch.zeros_like(x), data, generator()))
    if predicts in wanted:
        assert silent == pytest.approx(wanted[predicts], rel=0.05)
    point = torch.full((64, 2), 0.7)

    def perfect(x, t):
        alpha, sigma = process.schedule.alpha(t)[:, None], process.schedule.sigma(t)[:, None]
        return process.target(point, (x - alpha * point) / sigma, t)

    assert float(process.loss(perfect, point, generator())) == pytest.approx(0.0, abs=1e-6)
    assert float(process.loss(lambda x, t: perfect(x, t) + 0.5, point, generator())) == pytest.approx(0.25, rel=1e-3)


def test_training_steps_are_drawn_evenly_and_never_at_the_data():
    t = noise_schedule("cosine", 10).draw(20_000, generator())
    values, counts = t.unique(return_counts=True)
    torch.testing.assert_close(values, torch.arange(1, 11) / 10)
    assert counts.min() > 1800


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("predicts", PREDICTIONS)
def test_a_perfect_network_returns_the_data(method, predicts):
    process = Process.of("scaled_linear", predicts)
    data = torch.randn(3, 4, dtype=torch.float64, generator=generator())

    def perfect(x, t):
        alpha, sigma = process.schedule.alpha(t)[:, None], process.schedule.sigma(t)[:, None]
        return process.target(data, (x - alpha * data) / sigma, t)

    noise = torch.randn(3, 4, dtype=torch.float64, generator=generator(1))
    one = torch.ones(1, dtype=torch.float64)
    at_start, spread = process.schedule.alpha(one), process.schedule.sigma(one)
    for nfe in (1, 2, 7):
        times = torch.linspace(1, 0, nfe + 1).tolist()
        found = denoise(process, perfect, noise, nfe=nfe, method=method, times=times)
        torch.testing.assert_close(found, data, atol=1e-9, rtol=1e-9)
        left = process.mix(data, (noise - at_start * data) / spread, torch.full((3,), 0.001))
        torch.testing.assert_close(denoise(process, perfect, noise, nfe=nfe, method=method), left, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("predicts", PREDICTIONS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_samplers_converge_to_the_exact_flow_dpm_with_the_square_of_the_step(schedule, predicts):
    """Halving the steps divides the error by 2 for DDIM (first order) and by about 4 for DPM-Solver (second)."""
    process = Process.of(schedule, predicts)
    noise = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    start, end = 0.9, 0.05
    at_start = truth(process, noise, start)
    errors = {}
    for method in METHODS:
        for nfe in (20, 40):
            # even in log(alpha / sigma), where the order of both is defined
            grid = torch.linspace(0, 1, 20_001, dtype=torch.float64)[1:]
            ratios = process.schedule.log_ratio(grid)
            ends = torch.linspace(*(float(process.schedule.log_ratio(torch.tensor(t))) for t in (start, end)), nfe + 1)
            times = np.interp(-ends.numpy(), -ratios.numpy(), grid.numpy())
            found = denoise(process, exact(process), at_start, nfe=nfe, method=method, times=times.tolist())
            wanted = truth(process, noise, times[-1])
            errors[method, nfe] = float((found - wanted).abs().max())
    assert 1.7 < errors["ddim", 20] / errors["ddim", 40] < 2.3
    assert errors["dpm", 20] / errors["dpm", 40] > 3.2
    for nfe in (20, 40):
        assert errors["dpm", nfe] < errors["ddim", nfe] / 4


@pytest.mark.parametrize("method", METHODS)
def test_times_are_even_from_noise_to_the_first_step_of_training(method):
    process, seen = Process.of("scaled_linear", "noise"), []

    def denoiser(x, t):
        seen.append(float(t[0]))
        return exact(process)(x, t)

    noise = torch.randn(4, 1, generator=generator())
    found = denoise(process, denoiser, noise, nfe=25, method=method)
    assert seen == pytest.approx(np.linspace(1, 0.001, 26)[:-1], abs=1e-6)
    times = np.linspace(1, 0.001, 26).tolist()
    torch.testing.assert_close(found, denoise(process, exact(process), noise, nfe=25, method=method, times=times))


def test_the_second_step_of_dpm_by_hand():
    """Algorithm 2 of DPM-Solver++ (Lu et al. 2022): D = (1 + 1 / 2r) x0 - 1 / 2r x0 of the step before."""
    process = Process.of("scaled_linear", "data")
    outputs = iter([torch.tensor([[1.0]]), torch.tensor([[3.0]])])
    x = torch.tensor([[0.5]], dtype=torch.float64)
    found = denoise(process, lambda x, t: next(outputs).double(), x, nfe=2, times=[0.9, 0.6, 0.2])
    a, s = zip(*[(float(process.schedule.alpha(t)), float(process.schedule.sigma(t))) for t in
                 torch.tensor([0.9, 0.6, 0.2], dtype=torch.float64)], strict=True)  # fmt: skip
    lam = [math.log(alpha / sigma) for alpha, sigma in zip(a, s, strict=True)]
    first = s[1] / s[0] * 0.5 - a[1] * (math.exp(-(lam[1] - lam[0])) - 1) * 1.0
    r = (lam[1] - lam[0]) / (lam[2] - lam[1])
    towards = (1 + 1 / (2 * r)) * 3.0 - 1 / (2 * r) * 1.0
    wanted = s[2] / s[1] * first - a[2] * (math.exp(-(lam[2] - lam[1])) - 1) * towards
    assert float(found) == pytest.approx(wanted, rel=1e-12)


def test_what_cannot_be_sampled_is_said():
    process = Process.of("cosine", "data")
    x = torch.zeros(1, 1)
    with pytest.raises(FoleyError, match="nfe is 0"):
        denoise(process, lambda x, t: x, x, nfe=0)
    with pytest.raises(FoleyError, match="3 times were given for 3 steps"):
        denoise(process, lambda x, t: x, x, nfe=3, times=[1.0, 0.5, 0.0])
    with pytest.raises(UnknownNameError, match="heun"):
        denoise(process, lambda x, t: x, x, nfe=3, method="heun")
    with pytest.raises(UnknownNameError, match="lineal"):
        Process.of("lineal", "data")
    with pytest.raises(UnknownNameError, match="epsilon"):
        Process.of("cosine", "epsilon")


def test_a_classifier_moves_a_gaussian_to_its_class():
    """Prior N(0, 1), likelihood N(y; x, 1): guided samples of the exact score end at the posterior N(y / 2, 1 / 2)."""
    process = Process.of("cosine", "noise")  # ends in noise, as the posterior does not
    y = 2.0

    def guided(x, t):
        alpha, sigma = process.schedule.alpha(t)[:, None], process.schedule.sigma(t)[:, None]
        plain = sigma * x  # score of N(0, 1) is -x, and noise = -sigma * score
        spread = 1 + sigma**2  # p(y | x_t): the posterior mean of x_0 is alpha * x_t, its variance sigma^2

        def log_probability(at):
            return (-0.5 * (y - alpha * at).square() / spread).sum(1)

        return classifier_guided(plain, gradient(log_probability, x), sigma, 1.0)

    noise = torch.randn(20_000, 1, dtype=torch.float64, generator=generator())
    with torch.inference_mode(), differentiable():
        found = denoise(process, guided, noise, nfe=60)
    assert float(found.mean()) == pytest.approx(y / 2, abs=0.03)
    assert float(found.std()) == pytest.approx(math.sqrt(0.5), abs=0.03)


def test_descending_moves_by_the_rate_at_first_and_ends_at_the_least():
    x = torch.tensor([[3.0, -7.0], [0.5, 9.0]])

    def loss(at):
        return (at.square() * torch.tensor([1.0, 100.0])).sum(1)

    with torch.no_grad():
        torch.testing.assert_close(descend(loss, x, rate=0.1, steps=1), x - 0.1 * x.sign(), atol=1e-6, rtol=0)
        assert descend(loss, x, rate=0.1, steps=0) is x
        assert float(loss(descend(loss, x, rate=0.1, steps=300)).max()) < 1e-2


def test_a_sampler_that_is_guided_records_nothing_itself():
    with torch.inference_mode(), differentiable():
        kept = torch.ones(2, 1) * 3
        slope = gradient(lambda x: (x * kept).sum(1), torch.zeros(2, 1))
        assert not (kept * slope).requires_grad
    torch.testing.assert_close(slope, torch.full((2, 1), 3.0))


def test_a_schedule_that_is_first_made_for_another_device_is_kept_for_all():
    noise_schedule.cache_clear()
    with torch.device("meta"):
        noise_schedule("cosine")
    assert noise_schedule("cosine").alpha(torch.tensor([0.0])).item() == 1.0
