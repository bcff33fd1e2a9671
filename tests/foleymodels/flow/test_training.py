"""The loss of a flow: by hand where the network says nothing yet, and what the condition does in it."""

import dataclasses

import pytest
import torch

from foleymodels._flow.network import Flow
from foleymodels._flow.settings import FlowSettings
from foleymodels._flow.training import crop_tokens, flow_loss
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.paths import draw_times, flow_path

MEL = MelSettings()
SMALL = {"flow_dim": 16, "flow_heads": 2, "flow_blocks": 1, "flow_hidden": 16, "refine_channels": 4}
TOKENS = torch.randn(6, 7, 128, generator=torch.Generator().manual_seed(1))
SPEED = {"linear": 2**0.5, "gvp": torch.pi / 2}


def new_flow(*, random=False, **more):
    torch.manual_seed(0)
    flow = Flow(FlowSettings(**{**SMALL, **more}), MEL, 3)
    if random:
        for value in flow.parameters():
            torch.nn.init.normal_(value, std=0.2)
    return flow


def loss(flow, level):
    """Return the loss where every condition is one level."""
    with torch.no_grad():
        return float(flow_loss(flow, TOKENS, torch.full((6, 7, 3), level), torch.Generator().manual_seed(2)))


@pytest.mark.parametrize("times", ["matched", "raw"])
@pytest.mark.parametrize("name", ["linear", "gvp"])
def test_a_network_that_says_nothing_has_the_error_of_data_0(name, times):
    """Its estimate of the data is 0, and x / sigma is then the noise, whose floor is 0.05."""
    flow, chosen = new_flow(path=name, times=times), flow_path(name)
    generator = torch.Generator().manual_seed(2)
    tau = draw_times(chosen, 6, generator, mean=0.4, spread=1.2, pure_noise_p=0.1, raw=times == "raw")[:, None, None]
    noise = torch.randn(6, 7, 128, generator=generator)
    alpha, sigma = (
        (1 - tau, tau) if name == "linear" else (torch.cos(tau * torch.pi / 2), torch.sin(tau * torch.pi / 2))
    )
    explained = (alpha * TOKENS + sigma * noise) / sigma.clamp_min(0.05)
    linear, rotated = (explained - (noise - TOKENS)) / 2**0.5, alpha * explained - (alpha * noise - sigma * TOKENS)
    errors = linear if name == "linear" else rotated
    wanted = float(errors.square().mean()) * (SPEED[name] ** 2 if times == "raw" else 1.0)
    assert loss(flow, 0.0) == pytest.approx(wanted, rel=1e-4)


def test_the_condition_counts_unless_it_is_dropped():
    kept, dropped = new_flow(random=True, drop_p=0.0), new_flow(random=True, drop_p=1.0)
    assert loss(kept, 1.0) != pytest.approx(loss(kept, -1.0), rel=1e-3)
    assert loss(dropped, 1.0) == loss(dropped, -1.0)
    some = new_flow(random=True, drop_p=0.5)
    assert loss(some, 1.0) not in (loss(kept, 1.0), loss(dropped, 1.0))


def test_without_a_condition_the_null_one_is_trained_alone():
    none = new_flow(random=True, condition="none", drop_p=0.0)
    assert loss(none, 1.0) == loss(none, -1.0) == loss(new_flow(random=True, drop_p=1.0), 0.0)


def test_conditions_are_standardised_with_those_of_the_training_set():
    flow = new_flow()
    known = torch.tensor([[1.0, 5.0, 0.0], [3.0, 5.0, 0.0]])
    flow.fit_scale(known)
    prepared = flow.prepare(torch.tensor([[[3.0, 5.001, 0.0]]]))
    torch.testing.assert_close(prepared, torch.tensor([[[0.5**0.5, 1.0, 0.0]]]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("path", ["linear", "gvp"])
def test_the_sampler_steps_at_matched_noise_levels_or_as_the_path_comes(path):
    even = [1.0, 0.75, 0.5, 0.25, 0.0]
    assert new_flow(path=path, times="raw").times(4) == pytest.approx(even)
    matched = even if path == "gvp" else [1.0, 0.70710678, 0.5, 0.29289322, 0.0]
    assert new_flow(path=path).times(4) == pytest.approx(matched)


def test_an_example_has_the_tokens_of_its_length():
    assert crop_tokens(new_flow(flow_crop_s=2.08)) == 65  # of 31.25 a second
    flow = Flow(FlowSettings(**SMALL, flow_crop_s=3.2), dataclasses.replace(MEL, rate_hz=8000, hop=200), 3)
    assert crop_tokens(flow) == 64
