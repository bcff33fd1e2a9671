"""Long clips in overlapping windows: a hand-made flow shows what a seam would look like, and that there is none."""

import numpy as np
import pytest
import torch

from foleymodels._flow.generate import FlowTokens, Sampling
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.paths import flow_path
from foleymodels._parts.samplers import even_times
from foleymodels._parts.signal import SignalSettings
from foleymodels._parts.windows import Windows

N_TOKENS = 360  # 11.5 s
SIGNAL = SignalSettings()
WINDOWS = Windows.cover(N_TOKENS, SIGNAL.n_tokens)


class HandMade(torch.nn.Module):
    """A flow that knows its data: its condition itself (``local``), or one level for all of a window."""

    def __init__(self, *, local: bool) -> None:
        super().__init__()
        self.settings, self.mel, self.path = FlowSettings(), SIGNAL.mel, flow_path("gvp")
        self.null = torch.nn.Parameter(torch.zeros(1))
        self.times, self.prepare, self._local = even_times, lambda condition: condition, local

    def forward(self, x, tau, condition, dropped, following=None):
        data = condition if self._local else condition.mean(1, keepdim=True).expand_as(condition)
        return self.path.velocity(x, data, tau[:, None, None])


def made(local: bool, nfe: int) -> np.ndarray:
    sampling = Sampling(nfe=nfe, sampler="euler", guidance=1.0, scale=1.0)
    noise = torch.randn(1, N_TOKENS, SIGNAL.mel.token_dim, generator=torch.Generator().manual_seed(0))
    condition = torch.linspace(0.0, 10.0, N_TOKENS)[None, :, None].expand_as(noise).contiguous()
    make = FlowTokens(HandMade(local=local), lambda clips, n_tokens: condition, sampling, "cpu")
    return make.integrate(noise, condition, WINDOWS)[0, :, 0].numpy()


@pytest.mark.parametrize("nfe", [1, 8, 25])
def test_what_a_window_says_of_its_own_tokens_is_not_changed_by_windows(nfe):
    np.testing.assert_allclose(made(True, nfe), np.linspace(0.0, 10.0, N_TOKENS), atol=0.02)


@pytest.mark.parametrize("nfe", [1, 8])
def test_windows_that_disagree_are_blended_over_their_whole_overlap(nfe):
    windows = WINDOWS
    levels = [float(np.linspace(0.0, 10.0, N_TOKENS)[s : s + windows.length].mean()) for s in windows.starts]
    jump = max(np.diff(levels))  # what a cut without overlap would show between two tokens
    overlap = windows.starts[0] + windows.length - windows.starts[1]
    steps = np.abs(np.diff(made(False, nfe)))
    assert jump > 1.0
    assert overlap >= windows.length // 4
    assert steps.max() < 2 * jump / (overlap + 1) + 0.02
