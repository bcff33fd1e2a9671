"""Remove known wrappings of published weights, by name.

The same tensors come as a bare state dict, under a trainer's key, with a trainer's prefix before each name, with
averaged copies, and with a loss or an optimiser beside them. Known wrappings are removed with a message; the strict
loader refuses any other by name.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

# Averages over training: these are evaluated and published where a file holds both.
_AVERAGED = ("state_dict_ema", "model_ema", "ema_state_dict", "ema_model", "ema")
_PLAIN = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights")
_PREFIXES = ("net_swa.", "ema_model.", "model_ema.", "ema.", "module.", "_orig_mod.", "model.", "net.", "network.")
_MOST_NESTED = 3
# Beside the tensors of a net: tensors that only training needs, and torch.hub's PCA after VGGish, which FAD skips.
_TRAINING = ("loss.", "criterion.", "loss_fn.", "optimizer.", "optimiser.", "lr_scheduler.", "pproc.")
_TRAINING_KEYS = {
    *("epoch", "step", "global_step", "iteration", "optimizer", "optimiser", "optimizer_states", "lr_schedulers"),
    *("scheduler", "scaler", "loss", "args", "config", "hyper_parameters", "callbacks", "loops", "sampler"),
    *("pytorch-lightning_version", "best_score", "metrics", "n_averaged"),
}


def state_within(content: Any, inside: str = "") -> tuple[Any, list[str]]:
    """Return the state dict in a torch file's content, and the wrappings that were removed.

    Args:
        content: What the file holds.
        inside: Key under which the published file keeps it, if it does: removed without a message.

    Returns:
        The content within the known keys (it need not be a state dict), and a phrase for each wrapping.
    """
    said: list[str] = []
    for depth in range(_MOST_NESTED):
        if not isinstance(content, Mapping):
            break
        keys = [inside] * (depth == 0 and bool(inside)) + [*_AVERAGED, *_PLAIN]
        key = next((key for key in keys if isinstance(content.get(key), Mapping)), None)
        if key is None:
            break
        twins = [other for other in (*_AVERAGED, *_PLAIN) if other != key and isinstance(content.get(other), Mapping)]
        said += [f"taken from {key!r}"] * (key != inside) + [f"{twin!r} left aside" for twin in twins]
        content = content[key]
    if isinstance(content, Mapping) and any(isinstance(value, Tensor) for value in content.values()):
        dropped = [key for key, value in content.items() if key in _TRAINING_KEYS and not isinstance(value, Tensor)]
        said += [f"{key!r} left aside" for key in dropped]
        content = {key: value for key, value in content.items() if key not in dropped}
    return content, said


def unwrapped(state: Mapping[str, Tensor], wanted: Collection[str]) -> tuple[dict[str, Tensor], list[str]]:
    """Return the tensors under the names of a net, and the wrappings removed; unchanged when no known prefix fits.

    Args:
        state: What the file holds, by name.
        wanted: The names that the published file holds.

    Example:
        >>> found, said = unwrapped({"net.a": 1, "net_swa.a": 2, "loss.b": 3, "c": 4}, ["a"])
        >>> found, said
        ({'a': 2, 'c': 4}, ["'net_swa.' taken off every name", "1 of 'net.' left aside", "1 of 'loss.' left aside"])
    """
    prefix = next((one for one in _prefixes() if all(f"{one}{name}" in state for name in wanted)), None)
    if not prefix:
        known, said = dict(state), list[str]()
    else:
        names = {f"{prefix}{name}" for name in wanted}
        twins = [one for one in _PREFIXES if one != prefix and all(f"{one}{name}" in state for name in wanted)]
        twin_names = {f"{one}{name}" for one in twins for name in wanted}
        known = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name in names}
        known |= {name: tensor for name, tensor in state.items() if name not in names | twin_names}
        said = [f"{prefix!r} taken off every name", *(f"{len(wanted)} of {one!r} left aside" for one in twins)]
    for start in _TRAINING:
        extra = [name for name in known if name.startswith(start) and name not in wanted]
        said += [f"{len(extra)} of {start!r} left aside"] * bool(extra)
        known = {name: tensor for name, tensor in known.items() if name not in extra}
    return known, said


def _prefixes() -> list[str]:
    """Return the known prefixes and their pairs, the empty one first: ``""``, ``module.``, ``module.net.`` ..."""
    return ["", *_PREFIXES, *("".join(pair) for pair in itertools.permutations(_PREFIXES, 2))]


def tell_taken_off(path: Path, said: Collection[str]) -> None:
    """Name on standard error the wrappings that were removed from a file."""
    if said:
        sys.stderr.write(f"foleybench: {path.name} is wrapped: {', '.join(said)}\n")
