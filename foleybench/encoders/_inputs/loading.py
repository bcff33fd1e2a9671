"""Load weights files strictly, completely, and without running their code."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from foleybench.api.weights import impostor
from foleybench.encoders._inputs.wrappings import state_within, tell_taken_off, unwrapped
from foleybench.errors import WrongWeightsError

_SHOWN = 4
# Torch's reader trusts the file: 6,000 damaged files raised these (tests/encoders/test_wrappings.py).
_DAMAGED = (
    *(RuntimeError, pickle.UnpicklingError, EOFError, ValueError, LookupError, AttributeError, TypeError),
    *(AssertionError, OverflowError, MemoryError, OSError, struct.error, zipfile.BadZipFile),
)
_Net = TypeVar("_Net", bound=nn.Module)


class _Inert:
    """Replaces every class of a trainer's file: keeps its arguments, does nothing."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Take the arguments of any constructor."""

    def __setstate__(self, state: object) -> None:
        """Take any pickled state."""


def read_state(path: Path, inside: str = "", without: str = "") -> dict[str, Tensor]:
    """Read a state dict from a torch file.

    Args:
        path: The file.
        inside: Key under which the published file keeps the state dict. A bare one and one under another known key
            (``wrappings``) are taken too, which is said. What lies beside it, such as a trainer's callbacks and
            settings, is never run: its classes are replaced by ones that do nothing.
        without: Left out of every name, wherever it stands, such as the ``module.`` of distributed training.

    Raises:
        WrongWeightsError: The file is not a torch file of tensors, wants code to be run, or has a name twice.
    """
    content, said = state_within(read_content(path), inside)
    content = tensors_of(content, path)
    state = {name.replace(without, "") if without else name: tensor for name, tensor in content.items()}
    if len(state) < len(content):
        raise WrongWeightsError(f"{path} holds names that differ only in {without!r}. Fetch the published file.")
    tell_taken_off(path, said)
    return state


def read_content(path: Path) -> Any:
    """Return what a torch file holds, none of its code run: foreign classes are replaced by ones that do nothing.

    Raises:
        WrongWeightsError: The file is not a torch file, or wants code to be run.
    """
    _refuse_impostor(path)
    try:
        # Mapped where the format allows it: of a large file only the tensors that are used come into memory.
        with (
            torch.serialization.safe_globals(_plain_numpy()),
            torch.serialization.safe_globals([(_Inert, name) for name in _foreign_classes(path)]),
        ):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except _DAMAGED as error:
        # torch's own message would advise the reader to turn the protection off.
        unsafe = str(error).startswith("Weights only load failed")
        reason = "it wants code to be run" if unsafe else (str(error) or type(error).__name__).splitlines()[0]
        raise WrongWeightsError(f"{path} is not a file of weights: {reason}. Fetch it again.") from error


def tensors_of(content: Any, path: Path) -> Mapping[str, Tensor]:
    """Return a state dict as it is.

    Raises:
        WrongWeightsError: It is no mapping of tensors.
    """
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WrongWeightsError(
            f"{path} is not a file of weights: it holds a {type(content).__name__}, not a state dict of tensors. "
            "Fetch it again."
        )
    return content


def _refuse_impostor(path: Path) -> None:
    with path.open("rb") as handle:
        other = impostor(handle.read(1024))
    if other:
        raise WrongWeightsError(f"{path} is not a file of weights: it is {other}. Fetch it again.")


def _foreign_classes(path: Path) -> list[str]:
    """Return the classes that a file names and torch does not know; none for torch's old format."""
    if not zipfile.is_zipfile(path):
        return []
    return torch.serialization.get_unsafe_globals_in_checkpoint(str(path))


def read_safetensors(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """Read a safetensors file; tensors whose names do not start with ``prefix`` come as shapes, on device ``meta``.

    Raises:
        WrongWeightsError: The file is not a safetensors file.
    """
    _refuse_impostor(path)
    try:
        with safe_open(path, framework="pt") as file:
            # That object is no mapping: it has keys, and cannot be iterated over.
            names: list[str] = list(file.keys())
            return {
                name: file.get_tensor(name)
                if name.startswith(prefix)
                else torch.empty(file.get_slice(name).get_shape(), device="meta")
                for name in names
            }
    except (SafetensorError, OSError) as error:
        raise WrongWeightsError(f"{path} is not a safetensors file: {error}. Fetch it again.") from error


def _plain_numpy() -> list[Any]:
    """The constructors of numpy arrays and numbers in a file: data, no code.

    Some releases (the PANNs) keep the state of their sampler beside the weights, under numpy's names before 2.0.
    """
    makers: list[Any] = [np.zeros(1).__reduce__()[0], np.float64(0).__reduce__()[0]]
    kinds = [type(np.dtype(code)) for code in np.typecodes["AllInteger"] + np.typecodes["Float"] + "?"]
    old_names = [(maker, f"numpy.core.multiarray.{maker.__name__}") for maker in makers]
    return [*makers, *old_names, np.ndarray, np.dtype, *kinds]


def load_strictly(
    net: nn.Module, state: Mapping[str, Tensor], path: Path, unused: Mapping[str, tuple[int, ...]] | None = None
) -> None:
    """Put a state dict into a net, which may have been made on torch's meta device.

    Args:
        net: Takes the tensors; is left in evaluation mode, frozen.
        state: The file's tensors; known prefixes, and tensors that only training needs, are removed with a message.
        path: The file, for messages.
        unused: Shapes of tensors that the published file holds beside the net's: they must be there, too.

    Raises:
        WrongWeightsError: A tensor is missing, unknown, of another shape, or not finite; it is named.
    """
    own = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    wanted = own | dict(unused or {})
    state, said = unwrapped(state, wanted)
    problems = [f"lacks {name}" for name in wanted if name not in state]
    problems += [f"has unknown {name}" for name in state if name not in wanted]
    problems += [
        f"has {name} of shape {tuple(state[name].shape)} instead of {shape}"
        for name, shape in wanted.items()
        if name in state and tuple(state[name].shape) != shape
    ]
    if not problems:
        wrong = [name for name in own if not torch.isfinite(state[name]).all()]
        problems = [f"has values in {name} that are not finite" for name in wrong]
    if problems:
        more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise WrongWeightsError(
            f"{path} does not fit: it {'; it '.join(problems[:_SHOWN])}{more}. Fetch the published file."
        )
    tell_taken_off(path, said)
    # Assigned, not copied: a net on the meta device takes nothing else, and a mapped file needs no copy.
    kinds = {name: tensor.dtype for name, tensor in net.state_dict().items()}
    net.load_state_dict({name: state[name].to(dtype) for name, dtype in kinds.items()}, assign=True)
    net.eval().requires_grad_(False)


def with_random_weights(build: Callable[[], _Net], seed: int | None = None) -> _Net:
    """Return a network with random weights, in evaluation mode; torch's global random state is left as it was.

    Args:
        build: Makes the network.
        seed: Seed of the weights, or None for any.
    """
    with torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        return build().eval()


def load_whole(build: Callable[[], _Net], path: Path, inside: str = "", without: str = "") -> _Net:
    """Return a network with the weights of a file, made without ever holding random ones.

    Args:
        build: Makes the network; called on torch's meta device.
        path: The file.
        inside: As in ``read_state``.
        without: As in ``read_state``.

    Raises:
        WrongWeightsError: The file does not hold exactly the tensors of the network.
    """
    with torch.device("meta"):
        net = build()
    load_strictly(net, read_state(path, inside, without), path)
    return net
