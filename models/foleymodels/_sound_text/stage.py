"""Train the sound-text model as a part of a system."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from foleybench.errors import FoleyError
from foleymodels._sound_text.network import SoundText
from foleymodels._sound_text.settings import SoundTextSettings
from foleymodels._systems.parts import Parts, SystemRun, own_part
from foleymodels._training.data_parallel import share
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import Losses, batch_indices, n_parameters, write_metrics

FOLDER = "sound_text"
_FEWEST_CAPTIONS = 2


def sound_text_in(parts: Parts) -> SoundText:
    """Return the sound-text model among trained parts."""
    model = parts[FOLDER]
    assert isinstance(model, SoundText)
    return model


@torch.no_grad()
def clip_vectors(model: SoundText, data: TrainingData, device: torch.device | str = "cpu") -> Tensor:
    """Return the vector of every clip's whole audio, shape (n_clips, vector_dim), on the CPU.

    Args:
        model: The trained model, on the device.
        data: The clips; only their mel tokens are read.
        device: A torch device.
    """
    lengths, nowhere = np.diff(data.token_offsets), np.zeros(1, dtype=np.int64)
    found = [
        model.hear(data.crop_tokens(torch.tensor([index]), nowhere, int(lengths[index]), device))[0]
        for index in range(len(data))
    ]
    return torch.stack(found).cpu()


def _new(settings: SoundTextSettings, parts: Parts) -> SoundText:
    return SoundText(settings)


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, SoundText)
    job, settings = run.job, run.settings.sound
    captions = job.data.labels
    told = np.array([index for index, caption in enumerate(captions) if caption], dtype=np.int64)
    if len(set(captions) - {""}) < _FEWEST_CAPTIONS:
        raise FoleyError(
            f"{job.context.data} has {len(set(captions) - {''})} captions; a model of sound and text needs clips with "
            "at least two different ones. Give the clips a label or a caption, or choose another system."
        )
    network.text.learn_words([captions[index] for index in told])
    n_tokens = run.settings.signal.tokens(settings.sound_crop_s)
    device = network.log_scale.device

    def losses(step: int, generator: torch.Generator) -> Losses:
        chosen = told[batch_indices(len(told), settings.sound_batch, step, job.context.seed).numpy()]
        indices = torch.from_numpy(chosen)
        starts = job.data.starts(indices, n_tokens, generator)
        part, texts = share(), [captions[index] for index in chosen]
        names = torch.from_numpy(np.unique(texts, return_inverse=True)[1]).to(device)
        tokens = job.data.crop_tokens(part.rows(indices), part.rows(starts), n_tokens, device)
        same = names[:, None] == names[None]
        return {"loss": network.contrast(part.gathered(network.hear(tokens)), network.read(texts), same)}

    facts = job.fit(
        network, losses, FOLDER, steps=settings.sound_steps, rate=settings.sound_rate, ema=settings.sound_ema,
        name="sound and text",
    )  # fmt: skip
    write_metrics(job.context.out, {FOLDER: {**facts, "parameters": n_parameters(network)}})


SOUND_TEXT = own_part(FOLDER, SoundTextSettings, _new, _train)
