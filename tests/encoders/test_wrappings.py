"""The same weights wrapped otherwise: known wrappings come off and are said, all else is refused by name."""

import io

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from foleybench.encoders._inputs.loading import load_strictly, read_safetensors, read_state
from foleybench.errors import WrongWeightsError


def new_net():
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


STATE = {name: torch.full_like(tensor, 2) for name, tensor in new_net().state_dict().items()}
PLAIN = {name: torch.full_like(tensor, 7) for name, tensor in STATE.items()}
TRAINING = {"epoch": 3, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}, "lr_schedulers": []}


def under(prefix, state):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def loaded(tmp_path, content, inside=""):
    path = tmp_path / "net.pt"
    torch.save(content, path)
    net = new_net()
    load_strictly(net, read_state(path, inside), path)
    return net.state_dict()


PPROC = {"pproc.pca_eigen_vectors": torch.zeros(2, 2), "pproc.pca_means": torch.zeros(2, 1)}
WRAPPED = {
    "under state_dict": ({"state_dict": STATE}, ["taken from 'state_dict'"]),
    "of distributed training": (under("module.", STATE), ["'module.' taken off every name"]),
    "torch.hub's VGGish": ({**STATE, **PPROC}, ["2 of 'pproc.' left aside"]),
    "net": (under("net.", STATE), ["'net.' taken off"]),
    "net and its average": (
        {"state_dict": {**under("net.", PLAIN), **under("net_swa.", STATE)}},
        ["'net_swa.' taken off", "of 'net.' left aside"],
    ),
    "compiled, distributed": (under("module._orig_mod.", STATE), ["'module._orig_mod.' taken off"]),
    "EMA beside": ({"model": PLAIN, "model_ema": STATE}, ["taken from 'model_ema'", "'model' left aside"]),
    "EMA in two levels": ({"ema": {"module": STATE}, **TRAINING}, ["taken from 'ema'", "taken from 'module'"]),
    "training keys beside a loss": (
        {"state_dict": {**under("net.", STATE), "loss.weight": torch.ones(3)}, **TRAINING},
        ["'net.' taken off", "1 of 'loss.' left aside"],
    ),
    "bare with an optimiser": ({**STATE, **TRAINING}, ["'epoch' left aside", "'optimizer' left aside"]),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_known_wrappings_come_off_and_are_said(name, tmp_path, capsys):
    """P3."""
    content, said = WRAPPED[name]
    found = loaded(tmp_path, content)
    assert all(torch.equal(found[key], STATE[key]) for key in STATE)
    told = capsys.readouterr().err
    assert "foleybench: net.pt is wrapped: " in told
    assert all(phrase in told for phrase in said), told


def test_the_published_form_is_no_wrapping(tmp_path, capsys):
    """P3: nothing to say of a bare state dict, nor of one under the key of the release."""
    loaded(tmp_path, STATE)
    loaded(tmp_path, {"model": STATE, "sampler": 1}, inside="model")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**STATE, "head.weight": torch.ones(2)}, "has unknown head.weight"),
        (under("net.", STATE) | {"head.weight": torch.ones(2)}, "has unknown head.weight"),
        (under("student.", STATE), r"lacks 0\.weight.*"),
        ({name: tensor for name, tensor in under("net.", STATE).items() if name != "net.0.bias"}, r"lacks 0\.weight"),
        ({"hidden": STATE}, "not a state dict of tensors"),
        ({**STATE, "extra": 3}, "not a state dict of tensors"),
        ({"state_dict": {**STATE, "0.bias": torch.full((2,), float("nan"))}}, r"values in 0\.bias that are not finite"),
        ([STATE], "holds a list"),
    ],
)
def test_what_is_not_known_stays_refused(content, message, tmp_path):
    """P3."""
    with pytest.raises(WrongWeightsError, match=message):
        loaded(tmp_path, content)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:302903fa8c4aee81\nsize 344665734\n"


@pytest.mark.parametrize("read", [read_state, read_safetensors])
@pytest.mark.parametrize(
    ("content", "name"), [(LFS, "a Git LFS pointer"), (b"\n <!doctype HTML><p>", "a web page"), (b"", "an empty file")]
)
def test_what_is_no_file_of_weights_is_called_by_its_name(read, content, name, tmp_path):
    """P3: a pointer of Git LFS was said to want code to be run."""
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    with pytest.raises(WrongWeightsError, match=f"is not a file of weights: it is {name}"):
        read(path)


def saved(**how):
    buffer = io.BytesIO()
    torch.save({"state_dict": STATE, "epoch": 3}, buffer, **how)
    return buffer.getvalue()


def damaged(whole, rng):
    """Cut, changed near the start or anywhere, or nothing of it left."""
    kind = rng.integers(4)
    if kind == 0:
        return rng.bytes(rng.integers(1, 200))
    if kind == 1:
        return whole[: rng.integers(1, len(whole))]
    content = bytearray(whole)
    for place in rng.integers(min(len(whole), 400 if kind == 2 else len(whole)), size=rng.integers(1, 6)):
        content[place] = rng.integers(256)
    return bytes(content)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "whole", [saved(), saved(_use_new_zipfile_serialization=False), save(STATE)], ids=["zip", "old", "safetensors"]
)
def test_a_damaged_file_is_read_or_refused_and_never_a_traceback(whole, tmp_path):
    """P1, P3: 300 files each; 284 of 12,000 reads ended in a traceback before."""
    rng, path, refused = np.random.default_rng(0), tmp_path / "net.pt", []
    for _ in range(300):
        path.write_bytes(damaged(whole, rng))
        for read in (read_state, read_safetensors):
            try:
                read(path)
            except WrongWeightsError as error:
                refused.append(str(error))
    assert len(refused) > 300
    assert all(str(path) in message for message in refused)
