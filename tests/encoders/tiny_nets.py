"""Small networks of the published layouts with random weights, saved where the encoders look for them."""

from __future__ import annotations

import torch

from foleybench.api.weights import accept
from foleybench.encoders import cavp_video, diff_foley_align
from foleybench.encoders._nets import synchformer
from foleybench.encoders._nets.cavp_nets import Cavp
from foleybench.encoders._nets.diff_foley_nets import AlignmentClassifier
from foleybench.encoders._nets.synchformer_nets import Synchformer, SynchformerSizes

SIZE = SynchformerSizes(width=16, n_heads=2, depth=1, head_heads=2, head_depth=1)
MAKERS = {
    cavp_video: lambda: Cavp(base=2),
    diff_foley_align: lambda: AlignmentClassifier(width=32),
    synchformer: lambda: Synchformer(SIZE),
}


def random_state(net):
    """Weights that let something through every layer; buffers of counts and schedules stay."""
    rng = torch.Generator().manual_seed(0)
    state = {}
    for name, tensor in net.state_dict().items():
        if not tensor.is_floating_point() or tensor.ndim == 0:
            state[name] = tensor
        elif tensor.ndim == 1:
            state[name] = (
                torch.rand(tensor.shape, generator=rng) + 0.5
                if "weight" in name or "var" in name
                else 0.1 * torch.randn(tensor.shape, generator=rng)
            )
        else:
            state[name] = torch.randn(tensor.shape, generator=rng) * 1.5 / tensor[0].numel() ** 0.5
    return state


def install(module, folder, monkeypatch):
    """Make an encoder's module build the small network, and put random weights where it looks; return the network."""
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(folder))
    monkeypatch.setattr(module, "new_net", MAKERS[module])
    state = random_state(MAKERS[module]())
    torch.save({"state_dict": state} if module is not synchformer else state, folder / module.WEIGHTS.filename)
    accept(module.WEIGHTS)
    return module.load_weights(folder / module.WEIGHTS.filename)
