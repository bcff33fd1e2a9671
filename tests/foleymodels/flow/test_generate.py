"""Audio from a flow: the whole way from noise, written out once more."""

import numpy as np
import pytest
import torch

from foleybench.api.model import BuildContext
from foleymodels._flow.generate import flow_generator, sampling_of
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.mel import Mel
from foleymodels._parts.windows import Windows
from foleymodels._vocoders.griffin_lim import griffin_lim
from tests.foleymodels.flow.small_flow import SIGNAL, clip, conditions, random_flow


@pytest.mark.parametrize("condition", ["dynamic", "static"])
@pytest.mark.parametrize("duration_s", [0.7, 3.2])
def test_two_steps_of_the_linear_path_by_hand(duration_s, condition):
    """Euler: x goes half of the way against the velocity twice, which is root two times the output.

    Windows are cut and cross-faded in each step.
    """
    flow, scale = random_flow(condition=condition), 2.0
    context = BuildContext(nfe=2, guidance=scale)
    (audio,) = flow_generator(flow, conditions, SIGNAL, context).generate([clip(duration_s)], np.random.default_rng(3))
    n_samples = round(duration_s * 16000)
    n_tokens = SIGNAL.mel.n_tokens(n_samples)
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((1, n_tokens, 128), dtype=np.float32))
    windows = Windows.cover(n_tokens, 40)
    given = windows.split(conditions([0], n_tokens))
    given = given.mean(1, keepdim=True).expand_as(given) if condition == "static" else given  # of a window, as trained
    with torch.no_grad():
        for now in (1.0, 0.5):
            part, tau = windows.split(x), torch.full((len(windows.starts),), now)
            kept = torch.zeros(len(part), dtype=torch.bool)
            with_it, without = flow(part, tau, given, kept), flow(part, tau, given, ~kept)
            x = x - 0.5 * 2**0.5 * windows.merge(without + scale * (with_it - without))
    wanted = griffin_lim(Mel(SIGNAL.mel), x, n_samples, iterations=2)[0].clamp(-1, 1).numpy()
    assert len(windows.starts) == (1 if duration_s < 1 else 3)
    np.testing.assert_allclose(audio, wanted, atol=2e-4)


def test_a_network_that_is_told_how_far_a_step_goes_is_told_it():
    """One step of the linear path is the estimate of the data, for a step from 1 to 0."""
    flow = random_flow(told_span=True)
    context = BuildContext(nfe=1, guidance=1.0)
    make = flow_generator(flow, conditions, SIGNAL, context)._make
    windows = Windows.cover(20, 40)
    found = make([clip(0.64)], windows, np.random.default_rng(3))
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((1, 20, 128), dtype=np.float32))
    tau, kept = torch.ones(1), torch.zeros(1, dtype=torch.bool)
    with torch.no_grad():
        wanted, untold = (flow.data(x, tau, conditions([0], 20), kept, then) for then in (torch.zeros(1), None))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(wanted, untold, atol=1e-2)


def test_sampling_is_as_asked_else_as_the_settings_say():
    settings = FlowSettings(nfe=7, guidance=1.5, sampler="heun")
    plain = sampling_of(settings, BuildContext())
    assert (plain.nfe, plain.guidance, plain.scale, plain.sampler) == (7, 1.5, 1.5, "heun")
    asked = sampling_of(settings, BuildContext(nfe=2, guidance=0.5, sampler="euler"))
    assert (asked.nfe, asked.guidance, asked.scale, asked.sampler) == (2, 0.5, 0.5, "euler")
    free = sampling_of(FlowSettings(condition="none"), BuildContext(guidance=3.0))
    assert (free.guidance, free.scale) == (None, None)


def test_parameters_of_what_the_condition_comes_from_are_counted():
    flow = random_flow()
    own = sum(value.numel() for value in flow.parameters())
    assert flow_generator(flow, conditions, SIGNAL, BuildContext(), more_parameters=11).n_parameters == own + 11
