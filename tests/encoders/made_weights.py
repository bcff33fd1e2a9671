"""Random-weight files in the official layouts, small on disk, and what every strict loader must refuse."""

from __future__ import annotations

import pytest
import torch

from foleybench.errors import FoleyError


def layout(net):
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


def flat_state(shapes, dtypes=None):
    """A state dict of those shapes; every tensor is one number repeated."""
    dtypes = dtypes or {}
    return {
        name: torch.full((1,) * len(shape), 0.01).to(dtypes.get(name, torch.float32)).expand(shape)
        for name, shape in shapes.items()
    }


def count(net):
    """Number of tensors, and of values in them, of a state dict."""
    state = net.state_dict()
    return len(state), sum(tensor.numel() for tensor in state.values())


def refuses_by_name(load, path, state, save, *, of):
    """One tensor missing, renamed, or of another shape: refused, and the tensor is named."""
    without = {name: tensor for name, tensor in state.items() if name != of}
    for changed, message in (
        (without, f"lacks {of}"),
        (without | {f"{of}_": state[of]}, f"lacks {of}; it has unknown {of}_"),
        (state | {of: torch.zeros(3, 2)}, f"has {of} of shape"),
    ):
        save(changed, path)
        with pytest.raises(FoleyError) as caught:
            load(path)
        assert message in str(caught.value)
