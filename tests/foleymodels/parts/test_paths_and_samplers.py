import math

import pytest
import torch

from foleybench.errors import FoleyError, UnknownNameError
from foleymodels._parts.paths import draw_times, flow_path
from foleymodels._parts.samplers import even_times, guided, matched_times, sample
from foleymodels._parts.warp import Warp

PATHS = ["linear", "gvp"]


@pytest.mark.parametrize("name", PATHS)
def test_ends_are_data_and_noise(name):
    data, noise = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    chosen = flow_path(name)
    torch.testing.assert_close(chosen.mix(data, noise, torch.tensor(0.0)), data)
    torch.testing.assert_close(chosen.mix(data, noise, torch.tensor(1.0)), noise, atol=1e-6, rtol=0)


def test_gvp_keeps_the_variance_and_linear_does_not():
    tau = torch.linspace(0, 1, 11)
    gvp, linear = flow_path("gvp"), flow_path("linear")
    torch.testing.assert_close(gvp.alpha(tau) ** 2 + gvp.sigma(tau) ** 2, torch.ones(11))
    assert float(linear.alpha(tau)[5] ** 2 + linear.sigma(tau)[5] ** 2) == pytest.approx(0.5)


@pytest.mark.parametrize(("name", "speed"), [("linear", math.sqrt(2)), ("gvp", math.pi / 2)])
def test_target_is_the_derivative_over_the_speed(name, speed):
    chosen = flow_path(name)
    data, noise = torch.randn(4, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    tau, step = torch.tensor(0.3, dtype=torch.float64), 1e-6
    slope = (chosen.mix(data, noise, tau + step) - chosen.mix(data, noise, tau - step)) / (2 * step)
    torch.testing.assert_close(chosen.target(data, noise, tau), slope / speed, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("tau", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_targets_of_unit_data_have_unit_variance(name, tau):
    """At every time, so that no path is trained on larger errors; a velocity of the linear path has twice as much."""
    generator = torch.Generator().manual_seed(3)
    data, noise = (torch.randn(200_000, generator=generator) for _ in range(2))
    chosen = flow_path(name)
    target = chosen.target(data, noise, torch.tensor(tau))
    assert float(target.var()) == pytest.approx(1.0, abs=0.02)
    assert float((chosen.speed * target).var()) == pytest.approx({"linear": 2.0, "gvp": math.pi**2 / 4}[name], rel=0.02)


@pytest.mark.parametrize("name", PATHS)
def test_the_loss_of_an_estimate_is_weighted_as_the_card_says(name):
    """By s = alpha / sigma: 1 + s^2, and (1 + s)^2 / 2, which are within a factor of two of each other."""
    chosen, data, noise = flow_path(name), torch.randn(50), torch.randn(50)
    for tau in (0.15, 0.4, 0.5, 0.8, 1.0):
        at = torch.tensor(tau)
        x, s = chosen.mix(data, noise, at), float(chosen.alpha(at) / chosen.sigma(at))
        found = chosen.velocity(x, data + 0.1, at) - chosen.target(data, noise, at)
        weight = {"linear": (1 + s) ** 2 / 2, "gvp": 1 + s**2}[name]
        assert float(found.square().mean()) == pytest.approx(0.01 * weight, rel=1e-3)


@pytest.mark.parametrize("n", [1, 2, 8, 25])
def test_steps_of_both_paths_end_at_the_same_noise_levels(n):
    found = {name: matched_times(flow_path(name), n) for name in PATHS}
    assert found["gvp"] == pytest.approx(even_times(n), abs=1e-6)
    for times in found.values():
        assert times[0] == 1.0
        assert times[-1] == 0.0
        assert len(times) == n + 1
        assert times == sorted(times, reverse=True)
    levels = []
    for name, times in found.items():
        at = torch.tensor(times[1:-1], dtype=torch.float64)
        levels.append(torch.log(flow_path(name).sigma(at) / flow_path(name).alpha(at)))
    torch.testing.assert_close(*levels, atol=1e-9, rtol=0)


def test_matched_times_by_hand():
    """Three quarters of the way the rotation stands at 67.5 degrees, whose tangent is 1 + sqrt(2)."""
    ratio = 1 + math.sqrt(2)
    assert matched_times(flow_path("linear"), 4) == pytest.approx([1.0, ratio / (1 + ratio), 0.5, 1 / (1 + ratio), 0.0])


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("tau", [0.0, 0.2, 0.9, 1.0])
def test_true_velocity_gives_the_data_back(name, tau):
    chosen, at = flow_path(name), torch.tensor(tau)
    data, noise = torch.randn(6), torch.randn(6)
    x = chosen.mix(data, noise, at)
    torch.testing.assert_close(chosen.data_of(x, chosen.target(data, noise, at), at), data, atol=1e-5, rtol=0)


def test_unknown_path_is_refused():
    with pytest.raises(UnknownNameError, match="linear, gvp"):
        flow_path("cubic")


def test_both_paths_draw_the_same_noise_levels():
    levels = {}
    for name in PATHS:
        generator = torch.Generator().manual_seed(0)
        tau = draw_times(flow_path(name), 5000, generator, mean=0.4, spread=1.2, pure_noise_p=0.1).double()
        levels[name] = torch.log(flow_path(name).sigma(tau) / flow_path(name).alpha(tau).clamp_min(1e-12))
        assert 0.07 < float((tau == 1).double().mean()) < 0.13
        inner = levels[name][tau < 1]
        assert float(inner.mean()) == pytest.approx(0.4, abs=0.06)
        assert float(inner.std()) == pytest.approx(1.2, abs=0.06)


def test_raw_times_differ_between_paths_in_noise_level():
    drawn = [
        draw_times(
            flow_path(name), 2000, torch.Generator().manual_seed(0), mean=0.0, spread=1.0, pure_noise_p=0.0, raw=True
        )
        for name in PATHS
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert float(drawn[0].median()) == pytest.approx(0.5, abs=0.03)


def test_a_warp_spends_its_steps_where_the_error_is():
    warp = Warp()
    assert warp.times(4) == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0])
    tau = torch.linspace(0.001, 0.999, 64)
    for _ in range(2000):
        warp.update(tau, torch.where(tau > 0.5, 0.9, 0.1))
    times = warp.times(4)
    # the clock runs as the square root of the error: 3 to 1, so three of four steps end above one half
    assert times == pytest.approx([1.0, 5 / 6, 4 / 6, 0.5, 0.0], abs=1e-3)
    assert warp.times(1) == [1.0, 0.0]


def test_a_warp_ignores_bins_without_examples():
    warp = Warp()
    warp.update(torch.tensor([0.99, 1.0]), torch.tensor([3.0, 5.0]))
    assert float(warp.errors[-1]) == pytest.approx(0.99 + 0.04)
    assert torch.equal(warp.errors[:-1], torch.ones(15))


def gaussian_velocity(chosen, mean, spread):
    """The exact velocity when the data are normal: what a perfect network would say."""

    def velocity(x, tau, following):
        at = tau[:, None, None]
        alpha, sigma = chosen.alpha(at), chosen.sigma(at)
        total = alpha**2 * spread**2 + sigma**2
        data = mean + alpha * spread**2 / total * (x - alpha * mean)
        noise = sigma / total * (x - alpha * mean)
        return chosen.target(data, noise, at)

    return velocity


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("method", ["euler", "heun"])
def test_sampling_reaches_a_known_distribution(name, method):
    noise = torch.randn(400, 5, 4, generator=torch.Generator().manual_seed(0))
    chosen = flow_path(name)
    out = sample(chosen, gaussian_velocity(chosen, 2.0, 0.5), noise, nfe=25, method=method)
    assert float(out.mean()) == pytest.approx(2.0, abs=0.02)
    assert float(out.std()) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", PATHS)
def test_one_step_is_the_mean_of_the_data(name):
    noise = torch.randn(10, 5, 4)
    chosen = flow_path(name)
    out = sample(chosen, gaussian_velocity(chosen, 2.0, 0.5), noise, nfe=1)
    torch.testing.assert_close(out, torch.full_like(out, 2.0), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", PATHS)
def test_heun_is_more_exact_than_euler_at_the_same_cost(name):
    noise = torch.randn(50, 5, 4, generator=torch.Generator().manual_seed(1))
    chosen = flow_path(name)
    velocity = gaussian_velocity(chosen, 2.0, 0.5)
    exact = sample(chosen, velocity, noise, nfe=400, method="heun")
    error = {
        m: float((sample(chosen, velocity, noise, nfe=25, method=m) - exact).abs().mean()) for m in ("euler", "heun")
    }
    assert error["heun"] < 0.5 * error["euler"]


def test_number_of_evaluations_is_as_asked():
    calls = []
    chosen = flow_path("linear")

    def velocity(x, tau, following):
        calls.append(float(tau[0]))
        return torch.zeros_like(x)

    sample(chosen, velocity, torch.zeros(1, 2, 2), nfe=4)
    assert calls == pytest.approx([1.0, 0.75, 0.5, 0.25])
    for nfe in (1, 2, 4, 5, 8, 25):
        calls.clear()
        sample(chosen, velocity, torch.zeros(1, 2, 2), nfe=nfe, method="heun")
        assert len(calls) == nfe


@pytest.mark.parametrize(("nfe", "method"), [(0, "euler"), (0, "heun"), (4, "magic")])
def test_bad_sampler_settings_are_refused(nfe, method):
    with pytest.raises(FoleyError):
        sample(flow_path("linear"), lambda x, tau, following: x, torch.zeros(1, 2, 2), nfe=nfe, method=method)


def test_guidance_extrapolates():
    assert float(guided(torch.tensor(3.0), torch.tensor(1.0), 2.0)) == 5.0
    assert float(guided(torch.tensor(3.0), torch.tensor(1.0), 1.0)) == 3.0
