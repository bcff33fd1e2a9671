"""Write and read checkpoints: weights and settings in one folder.

A checkpoint is ``model.safetensors`` and ``config.json``, loaded strictly, never a pickle. A file of tensors carries
their hash among its metadata, and the config names that hash, so a flipped bit on a disk and weights of another run are
found; an older file without a hash is accepted with a message.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from foleybench.errors import FoleyError, WrongWeightsError
from foleybench.fields import Place, mapping, read_bytes, read_json
from foleybench.files import canonical_json, file_sha256, write_atomically

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
FORMAT = 1
# No weight of a trained network is as large; a weight with a damaged exponent is.
LARGEST = 1e6
_HASH = "tensors_sha256"
_ADVICE = "Train again or name another checkpoint."
# What safetensors lets through from a damaged file, beside its own error.
_DAMAGED = (safetensors.SafetensorError, ValueError, LookupError, AttributeError, TypeError, RuntimeError, MemoryError)


def write_checkpoint(folder: Path, kind: str, tensors: dict[str, Tensor], config: dict[str, Any]) -> Path:
    """Write a checkpoint: the weights first, so that a folder with a config is whole.

    Args:
        folder: Folder of the checkpoint; made when absent.
        kind: Kind of the checkpoint, which ``read_checkpoint`` checks.
        tensors: Weights by name.
        config: JSON values that rebuild the module.

    Returns:
        The folder.
    """
    digest = write_tensors(folder / WEIGHTS, tensors)
    record = {"format": FORMAT, "kind": kind, _HASH: digest, **config}
    write_atomically(folder / CONFIG, (canonical_json(record) + "\n").encode())
    return folder


def read_checkpoint(folder: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint.

    Returns:
        Weights by name, and the config.

    Raises:
        FoleyError: No checkpoint there, another kind or format, or a broken file.
        WrongWeightsError: The weights differ from those written, or are no weights of a trained network.
    """
    config = _read_config(folder)
    if config.get("kind") != kind or config.get("format") != FORMAT:
        raise FoleyError(
            f"{folder} holds a checkpoint of {config.get('kind')!r} (format {config.get('format')}), "
            f"wanted {kind!r} (format {FORMAT}). Name the right folder with --checkpoint."
        )
    tensors, facts = read_with_facts(folder / WEIGHTS)
    if config.get(_HASH, facts.get(_HASH)) != facts.get(_HASH):
        raise WrongWeightsError(
            f"{folder / WEIGHTS} does not hold the weights that {CONFIG} beside it was written for: their SHA-256 is "
            f"{facts.get(_HASH, 'not recorded')}, wanted {config[_HASH]}. Take both files from one run."
        )
    for name, value in tensors.items():
        _require_sound(name, value, folder / WEIGHTS)
    return tensors, config


def kind_of(folder: Path) -> str:
    """Return the kind of a checkpoint.

    Raises:
        FoleyError: No checkpoint there, or a broken file.
    """
    return str(_read_config(folder).get("kind"))


def refuse_another(source: str, folder: Path) -> None:
    """Refuse to go on in a run that has a part already, where another is asked for.

    Args:
        source: Folder of the trained part that the run is asked to take, or empty.
        folder: The part's folder below the run folder, called like the option.

    Raises:
        FoleyError: Both hold a checkpoint, of different weights; or only the run folder does.
    """
    if not source or not (folder / CONFIG).is_file():
        return
    _read_config(Path(source))
    there, asked = (path / WEIGHTS for path in (folder, Path(source)))
    if not asked.is_file() or not there.is_file() or file_sha256(asked) != file_sha256(there):
        raise FoleyError(
            f"{folder} already holds weights that are not those of {folder.name}={source}. Leave {folder.name}= out to "
            "use the part that is there, or choose another --out."
        )


def part_there(source: str, folder: Path) -> Path | None:
    """Return the folder of the trained part that a run would read, or None where there is none yet.

    Args:
        source: Folder that the run is asked to take the part from, or empty.
        folder: The part's folder below the run folder, called like the option.

    Raises:
        FoleyError: Both hold a checkpoint, of different weights.
    """
    there = Path(source) if source else folder
    if not (there / CONFIG).is_file():
        return None
    refuse_another(source, folder)
    return there


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any] | None = None, entry: str = "facts"
) -> str:
    """Write tensors with their hash; return the hash.

    Args:
        path: The file.
        tensors: By name.
        facts: JSON values to keep beside them.
        entry: Name of the metadata that holds facts and hash.

    Raises:
        FoleyError: The file cannot be written.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    digest = _sha256(plain)
    # One entry: safetensors writes several in any order, but equal tensors must give equal bytes.
    write_atomically(path, safetensors.torch.save(plain, {entry: canonical_json({**(facts or {}), _HASH: digest})}))
    return digest


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file.

    Raises:
        FoleyError: It is missing or broken.
        WrongWeightsError: They are not those that were written.
    """
    return read_with_facts(path)[0]


def read_with_facts(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors of a safetensors file, and the facts that it holds beside them.

    Raises:
        FoleyError: It is missing or broken.
        WrongWeightsError: They are not those that were written.
    """
    data = read_bytes(path, Place(str(path), advice=_ADVICE))
    try:
        tensors = safetensors.torch.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        facts: dict[str, Any] = {}
        for text in header.get("__metadata__", {}).values():
            facts |= json.loads(text)
    except _DAMAGED as error:
        raise FoleyError(f"cannot read weights from {path}: {error or type(error).__name__}. {_ADVICE}") from error
    if _HASH not in facts:
        _tell_unhashed(path)
    elif facts[_HASH] != (digest := _sha256(tensors)):
        raise WrongWeightsError(
            f"the weights in {path} are not those that were written: their SHA-256 starts {digest[:16]}, wanted "
            f"{facts[_HASH]:.16}. The file was changed or damaged: take a copy of it, or train again."
        )
    return tensors, facts


def _sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return the hash of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(f"{name}|{value.dtype}|{tuple(value.shape)}|".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


@functools.lru_cache(maxsize=256)
def _tell_unhashed(path: Path) -> None:
    sys.stderr.write(
        f"foleybench: {path} has no hash of its weights (an older version wrote it); the weights are used unchecked\n"
    )


def _require_sound(name: str, value: Tensor, path: Path) -> None:
    """Refuse weights that no training gives.

    Raises:
        WrongWeightsError: A weight is NaN, infinite, or of a size that only damage explains.
    """
    if not value.is_floating_point() or not value.numel():
        return
    if not value.isfinite().all():
        raise WrongWeightsError(f"the weights in {path} hold NaN or infinity in {name}. {_ADVICE}")
    largest = float(value.abs().max())
    if largest > LARGEST:
        raise WrongWeightsError(
            f"the weights in {path} hold {largest:.3g} in {name}; none of a trained network is over {LARGEST:g}. "
            f"{_ADVICE}"
        )


def load_into(module: nn.Module, tensors: dict[str, Tensor], folder: Path) -> None:
    """Load weights strictly.

    Raises:
        FoleyError: Names or shapes differ; the first differences are named.
    """
    own = module.state_dict()
    missing = sorted(own.keys() - tensors.keys())
    surplus = sorted(tensors.keys() - own.keys())
    misshapen = sorted(name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape)
    if missing or surplus or misshapen:
        raise FoleyError(
            f"the weights in {folder} do not fit the model: missing {missing[:3]}, not wanted {surplus[:3]}, "
            f"of another shape {misshapen[:3]}. The checkpoint was written by another version: train again."
        )
    module.load_state_dict(tensors, strict=True)


def joined_weights(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return the weights of several modules, each below its name."""
    return {f"{part}.{name}": value for part, module in modules.items() for name, value in module.state_dict().items()}


def below(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    """Return the weights of one of several modules, by its name."""
    prefix = f"{part}."
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.is_file():
        raise FoleyError(
            f"no checkpoint in {folder} ({CONFIG} is missing). Train first, or name one with --checkpoint."
        )
    config: dict[str, Any] = read_json(path, mapping, Place(str(path), advice=_ADVICE))
    return config
