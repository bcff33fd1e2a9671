import contextlib
import io
import os
import subprocess
import sys

import pytest
import safetensors.torch
import torch

from foleybench.api.model import TrainContext
from foleybench.cli import main
from foleybench.errors import FoleyError
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.objective import Draw
from foleymodels._alignment.stage import objective_of
from foleymodels._flow.training import flow_loss
from foleymodels._training.data_parallel import Share, share, sharing
from foleymodels._training.job import Job
from foleymodels._training.settings import LoopSettings, RunOptions
from foleymodels.foleyflow import heads
from foleymodels.foleyflow.checkpoints import new_flow
from tests.foleymodels.small import SMALL, small_settings

BATCH = 8


def gradients(module, loss):
    """Return the value of a loss and its gradients, laid end to end."""
    module.zero_grad()
    value = loss()
    value.backward()
    parts = [p.grad.reshape(-1) for p in module.parameters() if p.grad is not None]
    return torch.cat([value.detach()[None], *parts])


def whole_and_shares(module, loss, of=2):
    """Return what the whole batch gives, and the mean of what its shares give."""
    whole = gradients(module, loss)
    parts = []
    for rank in range(of):
        with sharing(Share(rank=rank, of=of)):
            parts.append(gradients(module, loss))
    return whole, torch.stack(parts).mean(0)


def test_a_share_is_cut_in_order():
    whole = torch.arange(12)
    parts = [part for rank in range(2) for part in Share(rank=rank, of=2).cut(3)]
    assert torch.equal(torch.cat([part.rows(whole) for part in parts]), whole)
    assert Share(rank=1, of=2).cut(1) == [Share(rank=1, of=2)]


def job(data):
    """Return a run with seed 0 on some data."""
    context = TrainContext(data=data.folder, val=None, out=data.folder)
    return Job(context=context, loop=LoopSettings(), options=RunOptions(), data=data, val=data)


def fresh():
    return torch.Generator().manual_seed(7)


@pytest.mark.parametrize("of", [2, 4])
@pytest.mark.parametrize("stage1", ["vama", "onset_sup"])
def test_shares_of_an_alignment_batch_amount_to_the_whole(stage1, of, toy_data):
    settings = small_settings(stage1=stage1)
    torch.manual_seed(0)
    objective = objective_of(Alignment(settings.signal, settings.alignment), toy_data)

    def loss():
        generator = fresh()
        indices, starts = job(toy_data).draw_crops(BATCH, objective.crop_tokens, 0, generator)
        return objective(Draw(data=toy_data, audio_of=indices, video_of=indices, starts=starts), generator)["loss"]

    whole, shared = whole_and_shares(objective, loss, of)
    torch.testing.assert_close(shared, whole, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("head", ["ode", "imf"])
def test_shares_of_a_flow_batch_amount_to_the_whole(head):
    settings = small_settings(head=head)
    torch.manual_seed(0)
    flow = new_flow(settings, 5)
    for value in flow.parameters():
        torch.nn.init.normal_(value, std=0.1)
    tokens, condition = torch.randn(BATCH, 7, 128), torch.randn(BATCH, 7, 5)

    def loss():
        mine = share().rows(tokens), share().rows(condition)
        if head == "ode":
            return flow_loss(flow, *mine, fresh())
        return heads.mean_flow_loss(flow, flow, settings.head, *mine, fresh())

    whole, shared = whole_and_shares(flow, loss)
    torch.testing.assert_close(shared, whole, atol=1e-5, rtol=1e-3)


def test_an_odd_batch_is_refused(toy_data):
    with sharing(Share(rank=0, of=3)), pytest.raises(FoleyError, match="batch of 8 cannot be shared by 3"):
        job(toy_data).draw_crops(BATCH, 4, 0, fresh())


@pytest.mark.slow
def test_networks_work_on_a_device_that_is_not_the_cpu(shapes_only):
    """A device that only knows shapes stands for a GPU: mixing it with the CPU is an error, as it is there."""
    settings = small_settings()
    with torch.device("cuda"):
        alignment = Alignment(settings.signal, settings.alignment)
        flow = new_flow(settings, alignment.condition_dim)
    cells = settings.signal.cells
    frames = torch.zeros(2, 80, cells, cells, 6, dtype=torch.uint8, device="cuda")
    tokens = torch.zeros(2, 20, 128, device="cuda")
    condition = alignment.condition(frames, 50)[:, :20]  # longer than a window
    predicted, _, _ = alignment(frames[:, :32], tokens, torch.ones(2, 20, dtype=torch.bool, device="cuda"), 20)
    loss = flow_loss(flow, tokens, condition, torch.Generator())
    assert {x.device.type for x in (condition, predicted, loss)} == {"cuda"}


@contextlib.contextmanager
def no_launcher():
    """Leave out what a launcher of this very test run may have set."""
    yield {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}


def train_words(corpus, out, **more):
    settings = {**SMALL, "cache": str(out.parent / "cache"), **more}
    sets = [word for item in settings.items() for word in ("--set", "=".join(item))]
    return ["train", "foleyflow", "--data", str(corpus["train"]), "--val", str(corpus["val"]), "--out", str(out), *sets]


def train_command(corpus, out, *launcher, **more):
    with no_launcher() as environment:
        command = [sys.executable, *launcher, "-m", "foleybench", *train_words(corpus, out, **more)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def launcher_of(name):
    if name == "torchrun":
        return ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    pytest.importorskip("accelerate", reason="needs the extra `train`")
    # Its --cpu starts one process; --multi_gpu starts what torchrun would, and the command stays on the CPU.
    return ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
            "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0")  # fmt: skip


# What gathers over the processes (contrast, learned clock) is in this; small rates, so that rounding stays rounding.
TOGETHER = {"stage1": "cavp", "path": "gvp_learned", "head": "imf", "vama_rate": "1e-4", "flow_rate": "2e-5",
            "head_rate": "1e-4", "vama_steps": "4", "flow_steps": "4"}  # fmt: skip


@pytest.fixture(scope="module")
def one(corpus, tmp_path_factory):
    """A run of one process."""
    out = tmp_path_factory.mktemp("one") / "run"
    said = io.StringIO()
    with no_launcher() as environment, pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.setattr(os, "environ", environment)
        assert main(train_words(corpus, out, **TOGETHER)) == 0
    assert "share every batch" not in said.getvalue()
    return out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torchrun", "accelerate"])
def test_two_processes_train_what_one_trains(name, corpus, one, tmp_path):
    two = tmp_path / "run"
    done = train_command(corpus, two, *launcher_of(name), **TOGETHER)
    assert done.stdout == f"{two}\n"  # the first process alone reports
    assert "2 processes share every batch (gloo)" in done.stderr
    for part in ("model", "alignment/model", "flow/model"):
        alone, shared = (safetensors.torch.load_file(who / f"{part}.safetensors") for who in (one, two))
        assert alone.keys() == shared.keys()
        for key, value in alone.items():
            torch.testing.assert_close(shared[key], value, atol=1e-5, rtol=1e-4, msg=lambda text, key=key: key + text)
    assert not list(tmp_path.rglob("*.tmp"))
    assert not list(tmp_path.rglob("conditions-*.npy"))
