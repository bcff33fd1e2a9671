"""Train a flow on sound alone, told its clip's vector.

It stands for AudioLDM (Liu et al. 2023), which is trained on the CLAP vector of the very audio that it makes, and given
that of a caption, or one that was mapped from a video, at generation. Here a training crop is told the vector of its
whole clip, which is also what a mapper learns to give. It never sees video.
"""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from foleybench.api.model import BuildContext, Generator
from foleybench.clips import IntArray
from foleybench.errors import FoleyError
from foleymodels._flow.network import Flow
from foleymodels._flow.training import FOLDER, train_flow
from foleymodels._sound_text.settings import SoundFlowSettings
from foleymodels._sound_text.stage import clip_vectors, sound_text_in
from foleymodels._systems.parts import Parts, SystemPart, SystemRun, own_part

_KEY_BYTES = 16


class SoundFlow(nn.Module):
    """A flow on vectors of sound.

    Attributes:
        flow: The flow.
        vectors_of: Hash of the sound-text model whose vectors it was trained on, shape (16,) uint8.
    """

    vectors_of: Tensor

    def __init__(self, settings: SoundFlowSettings) -> None:
        super().__init__()
        self.flow = Flow(settings.flow, settings.signal.mel, settings.sound.vector_dim)
        self.register_buffer("vectors_of", torch.zeros(_KEY_BYTES, dtype=torch.uint8))


def sound_flow_in(parts: Parts) -> Flow:
    """Return the flow on vectors of sound among trained parts."""
    trained = parts[FOLDER]
    assert isinstance(trained, SoundFlow)
    return trained.flow


def weights_key(module: nn.Module) -> Tensor:
    """Return the start of the SHA-256 of a module's weights, shape (16,) uint8."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return torch.tensor(list(digest.digest()[:_KEY_BYTES]), dtype=torch.uint8)


def _new(settings: SoundFlowSettings, parts: Parts) -> SoundFlow:
    return SoundFlow(settings)


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, SoundFlow)
    model, job = sound_text_in(run.parts), run.job
    network.vectors_of.copy_(weights_key(model))
    vectors = clip_vectors(model, job.data, job.context.device)
    network.flow.fit_scale(vectors)

    def condition_of(indices: Tensor, starts: IntArray, n_tokens: int, device: torch.device) -> Tensor:
        return vectors[indices].to(device)[:, None].expand(-1, n_tokens, -1)

    def generator_of(twin: Flow) -> Generator:
        copy = SoundFlow(run.settings)
        copy.flow = twin
        return run.generator_of({**run.parts, FOLDER: copy}, BuildContext(device=job.context.device))

    train_flow(job, network.flow, condition_of, generator_of)


def _checked(network: nn.Module, parts: Parts, folder: Path | str) -> nn.Module:
    """Return a flow, unless its vectors are another model's.

    Raises:
        FoleyError: They are.
    """
    assert isinstance(network, SoundFlow)
    if not np.array_equal(network.vectors_of.cpu(), weights_key(sound_text_in(parts))):
        raise FoleyError(
            f"the flow in {folder} was trained on vectors of another sound-text model than this run's. Take both from "
            "one run: --set flow=RUN/flow --set sound_text=RUN/sound_text."
        )
    return network


def _sound_flow() -> SystemPart:
    plain = own_part(FOLDER, SoundFlowSettings, _new, _train, tag="sound_flow")

    def trained(run: SystemRun, source: str) -> nn.Module:
        return _checked(plain.trained(run, source), run.parts, source or run.job.context.out / FOLDER)

    def rebuilt(tensors: dict[str, Tensor], record: dict[str, Any], parts: Parts, folder: Path) -> nn.Module:
        return _checked(plain.rebuilt(tensors, record, parts, folder), parts, folder)

    return dataclasses.replace(plain, trained=trained, rebuilt=rebuilt)


SOUND_FLOW = _sound_flow()
