"""Guess a clip's caption from its video.

In place of the language model that tells VATT what the video sounds like: one of the training captions, by a small
network on the mean of the frame features.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.errors import FoleyError
from foleymodels._sound_text.text import packed_texts, unpacked_texts
from foleymodels._systems.features import FeatureScale, alignment_in, frame_conditions
from foleymodels._systems.parts import Parts, SystemPart, SystemRun, own_part
from foleymodels._training.data_parallel import share
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import Losses, n_parameters, write_metrics
from foleymodels.vatt.network import VattSettings

FOLDER = "captions"
_MOST_CAPTIONS, _LONGEST = 1024, 96


class CaptionGuess(nn.Module):
    """From frame features to one of the training captions.

    Attributes:
        scale: Standardises the features.
        known: The captions as bytes.
    """

    known: Tensor

    def __init__(self, condition_dim: int, dim: int) -> None:
        super().__init__()
        self.scale = FeatureScale(condition_dim)
        self.register_buffer("known", torch.zeros(_MOST_CAPTIONS, _LONGEST, dtype=torch.uint8))
        self.net = nn.Sequential(nn.Linear(condition_dim, dim), nn.SiLU(), nn.Linear(dim, _MOST_CAPTIONS))

    def learn_captions(self, captions: Sequence[str]) -> None:
        """Take the captions that can be guessed, sorted; an empty one is none.

        Raises:
            FoleyError: There are fewer than two, or too many for this network.
        """
        names = sorted(set(captions) - {""})
        if not 2 <= len(names) <= _MOST_CAPTIONS or max(len(name.encode()) for name in names) > _LONGEST:
            raise FoleyError(
                f"the training clips have {len(names)} different captions; text=predicted wants 2 to {_MOST_CAPTIONS}, "
                f"of at most {_LONGEST} bytes. Choose text=none."
            )
        self.known.copy_(packed_texts(names, _MOST_CAPTIONS, _LONGEST))

    def captions(self) -> list[str]:
        """Return the captions that can be guessed, in the order of the logits."""
        return [text for text in unpacked_texts(self.known) if text]

    def forward(self, conditions: Tensor) -> Tensor:
        """Return logits (batch, n_captions) of features (batch, n, condition_dim)."""
        out: Tensor = self.net(self.scale(conditions).mean(1))[:, : len(self.captions())]
        return out

    @torch.no_grad()
    def guess(self, conditions: Tensor) -> list[str]:
        """Return the most probable caption for features (batch, n, condition_dim)."""
        known = self.captions()
        return [known[index] for index in self(conditions).argmax(1).tolist()]


def _new(settings: VattSettings, parts: Parts) -> CaptionGuess:
    return CaptionGuess(alignment_in(parts).condition_dim, settings.net.caption_dim)


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, CaptionGuess)
    job, settings, conditions = run.job, run.settings.net, frame_conditions(run)
    network.scale.measure(conditions.sample())
    network.learn_captions(job.data.labels)
    number = {caption: index for index, caption in enumerate(network.captions())}
    wanted = torch.tensor([number.get(label, -1) for label in job.data.labels])
    device, n_tokens = job.context.device, run.settings.signal.tokens(settings.net_crop_s)

    def losses(step: int, generator: torch.Generator) -> Losses:
        indices, starts = job.draw_crops(settings.net_batch, n_tokens, step, generator)
        logits = network(conditions.crop(indices, starts, n_tokens, device))
        # The sum over labelled clips by the whole batch, so that the mean over processes is the batch's.
        own = F.cross_entropy(logits, wanted[indices].to(device), ignore_index=-1, reduction="sum")
        return {"loss": own * share().of / settings.net_batch}

    facts = job.fit(
        network, losses, FOLDER, steps=settings.caption_steps, rate=settings.caption_rate, ema=settings.net_ema,
        name=FOLDER,
    )  # fmt: skip
    found = {"val_accuracy": _accuracy(network.eval(), run.parts, job.val), "captions": len(network.captions())}
    write_metrics(job.context.out, {FOLDER: {**facts, **found, "parameters": n_parameters(network)}})


@torch.inference_mode()
def _accuracy(network: CaptionGuess, parts: Parts, data: TrainingData) -> float:
    """Return the share of clips whose caption is guessed."""
    alignment, device = alignment_in(parts), network.known.device
    right = [
        network.guess(alignment.condition(frames[None].to(device), n_tokens)) == [label]
        for (frames, n_tokens), label in zip(data.videos(), data.labels, strict=True)
    ]
    return round(sum(right) / len(right), 4)


CAPTIONS: SystemPart = own_part(
    FOLDER, VattSettings, _new, _train, tag="vatt_captions", wanted=lambda settings: settings.net.text == "predicted"
)
