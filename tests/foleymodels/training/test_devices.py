"""Everything of a loss goes to the network's device; ``meta`` stands for a GPU here, as it mixes with no other."""

import copy
import threading
import time

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.encoder import Signal
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.objective import Draw
from foleymodels._alignment.stage import objective_of
from foleymodels._flow.network import Flow
from foleymodels._flow.training import flow_loss
from foleymodels._parts import frozen_encoders
from foleymodels._parts.blocks import (
    Attention,
    grid_bias,
    grid_table,
    grid_times_s,
    norms_written_out,
    rotary_table,
    window_bias,
)
from foleymodels._small_encoders.objectives import OBJECTIVES
from foleymodels._training.transfer import to_device
from tests.foleymodels.small import small_settings

CPU, META = torch.device("cpu"), torch.device("meta")


@pytest.mark.parametrize("name", OBJECTIVES)
def test_small_encoders_take_their_batches_to_their_device(name, toy_data):
    signal = small_settings().signal
    objective = OBJECTIVES[name](toy_data, signal.cells, signal.mel.token_dim, 16).to(META)
    loss = objective(toy_data, torch.arange(3), torch.Generator().manual_seed(0))
    assert loss.device == META


@pytest.mark.parametrize("name", ["vama", "infonce", "cavp", "onset_sup"])
def test_alignment_objectives_take_their_batches_to_their_device(name, toy_data):
    settings = small_settings(stage1=name)
    objective = objective_of(Alignment(settings.signal, settings.alignment), toy_data).to(META)
    indices = torch.arange(3)
    draw = Draw(data=toy_data, audio_of=indices, video_of=indices, starts=np.zeros(3, dtype=np.int64))
    assert objective(draw, torch.Generator().manual_seed(0))["loss"].device == META


def test_flow_loss_stays_on_the_device(toy_data):
    settings = small_settings()
    flow = Flow(settings.flow, settings.signal.mel, 5).to(META)
    tokens = toy_data.crop_tokens(torch.arange(3), np.zeros(3, dtype=np.int64), 20, META)
    assert tokens.dtype == torch.float32
    loss = flow_loss(flow, tokens, torch.zeros(3, 20, 5, device=META), torch.Generator().manual_seed(0))
    assert loss.device == META


def test_halves_are_widened_after_the_move():
    """All halves are singles, so where they are widened changes no bit."""
    values = torch.randn(4, 5).half()
    assert torch.equal(to_device(values, "cpu").float(), values.float())
    assert to_device(values, META).dtype == torch.float16


def test_kept_tables_are_the_computed_ones_and_train_after_generation():
    grid_table.cache_clear(), grid_bias.cache_clear()
    times, others = grid_times_s(12, 31.25), grid_times_s(9, 25.0)
    with torch.inference_mode():
        table = grid_table(12, 31.25, 8, CPU)
        bias = grid_bias((12, 31.25), (9, 25.0), 4, 2, 0.1, CPU)
    assert torch.equal(table, rotary_table(times, 8))
    assert torch.equal(bias, window_bias(times, others, 4, 2, 0.1))
    assert grid_table(12, 31.25, 8, CPU) is table
    assert grid_table(12, 31.25, 8, META).device == META
    x = torch.randn(2, 12, 16, requires_grad=True)
    Attention(16, 2)(x, table).sum().backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_norms_written_out_give_the_same_bits_and_derivatives():
    torch.manual_seed(0)
    attention, table = Attention(16, 2), grid_table(12, 31.25, 8, CPU)
    with torch.no_grad():
        for norm in (attention.query_norm, attention.key_norm):
            norm.weight.add_(0.3 * torch.randn(8))
    x, along = torch.randn(2, 12, 16), torch.randn(2, 12, 16)
    plain = attention(x, table)
    fine, point, direction = copy.deepcopy(attention).double(), x.double(), along.double()
    with norms_written_out():
        assert torch.equal(attention(x, table), plain)
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            _, slope = torch.func.jvp(lambda given: fine(given, table), (point,), (direction,))
    step = 1e-6
    with torch.no_grad():
        ahead, behind = (fine(point + sign * step * direction, table) for sign in (1, -1))
    assert torch.allclose(slope, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-7)


def test_fused_norms_are_not_called_in_the_forward_mode_derivative(monkeypatch):
    def refuse(*args, **kwargs):
        raise NotImplementedError("no forward mode")

    attention, table = Attention(16, 2), grid_table(12, 31.25, 8, CPU)
    monkeypatch.setattr(torch.nn.functional, "rms_norm", refuse)
    with norms_written_out():
        attention(torch.randn(1, 12, 16), table)
    with pytest.raises(NotImplementedError):
        attention(torch.randn(1, 12, 16), table)


def test_threads_build_a_large_encoder_once_and_on_the_device(monkeypatch):
    built = []

    class Slow:
        rate_hz = 16000

        @staticmethod
        def untrained(device):
            built.append(device)
            time.sleep(0.2)
            return lambda signals: [{"frames": np.zeros((2, 3))} for _ in signals]

    monkeypatch.setattr(registry, "load", lambda kind, name: Slow)
    frozen_encoders._built.cache_clear()
    threads = [
        threading.Thread(target=lambda: frozen_encoders._encoder("slow", "random", "cuda:1")([_silence()]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    frozen_encoders._built.cache_clear()
    assert built == ["cuda:1"]


def test_modules_copied_after_a_forward_pass_share_no_table(toy_data):
    """Tables are no part of a network, so its state and its copies stay as they were."""
    settings = small_settings()
    flow = Flow(settings.flow, settings.signal.mel, 5)
    before = set(flow.state_dict())
    flow(torch.zeros(1, 4, settings.signal.mel.token_dim), torch.ones(1), torch.zeros(1, 4, 5), torch.ones(1).bool())
    assert set(copy.deepcopy(flow).state_dict()) == before


def _silence() -> Signal:
    return Signal(audio=np.zeros(160, dtype=np.float32), duration_s=0.01)
