"""Fine-tune a copy of the network to find a video's audio.

The copy makes no audio: VAB's generation is that of the network before its fine-tuning.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._alignment.network import Alignment
from foleymodels._codecs.codec import Codec
from foleymodels._codecs.stage import codec_in
from foleymodels._codes.training import GENERATOR
from foleymodels._parts.contrast import LOG_SCALE, info_nce, scale_of
from foleymodels._systems.features import alignment_in, frame_conditions
from foleymodels._systems.parts import Parts, SystemPart, SystemRun, own_part
from foleymodels._training.data_parallel import share
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import Losses, n_parameters, write_metrics
from foleymodels.vab.network import Vab, VabSettings

FOLDER = "retrieval"
# Clips of the validation data among which the right one is to be found.
_N_MEASURED = 100


class Retrieval(nn.Module):
    """The fine-tuned network, with a projection of each modality and a learned temperature."""

    def __init__(self, net: Vab, dim_in: int, dim: int) -> None:
        super().__init__()
        self.net = net
        self.see, self.hear = nn.Linear(dim_in, dim), nn.Linear(dim_in, dim)
        self.log_scale = nn.Parameter(torch.tensor(LOG_SCALE))

    def embed(self, codes: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit vectors of video and audio, both (batch, retrieval_dim).

        Args:
            codes: Shape (batch, n, levels), none masked.
            conditions: Features, shape (batch, n, condition_dim).
        """
        video, audio = self.see(self.net.video_vector(conditions)), self.hear(self.net.audio_vector(codes))
        return F.normalize(video, dim=-1), F.normalize(audio, dim=-1)


def _new(settings: VabSettings, parts: Parts) -> Retrieval:
    net = parts[GENERATOR]
    assert isinstance(net, Vab)
    return Retrieval(copy.deepcopy(net).requires_grad_(True), settings.net.net_dim, settings.net.retrieval_dim)


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, Retrieval)
    job, settings, codec, conditions = run.job, run.settings.net, codec_in(run.parts), frame_conditions(run)
    device, n_tokens = job.context.device, run.settings.signal.tokens(settings.net_crop_s)

    def losses(step: int, generator: torch.Generator) -> Losses:
        crops = job.draw_crops(settings.net_batch, n_tokens, step, generator)
        codes = codec.encode(job.data.crop_tokens(*crops, n_tokens, device))
        embedded = network.embed(codes, conditions.crop(*crops, n_tokens, device))
        video, audio = (share().gathered(of_part) for of_part in embedded)
        return {"loss": info_nce(video, audio, scale_of(network.log_scale))}

    facts = job.fit(
        network, losses, FOLDER, steps=settings.retrieval_steps, rate=settings.retrieval_rate, ema=settings.net_ema,
        name=FOLDER,
    )  # fmt: skip
    found = recall(network.eval(), codec, alignment_in(run.parts), job.val, n_tokens)
    write_metrics(job.context.out, {FOLDER: {**facts, **found, "parameters": n_parameters(network)}})


@torch.inference_mode()
def recall(
    network: Retrieval, codec: Codec, alignment: Alignment, data: TrainingData, n_tokens: int
) -> dict[str, float]:
    """Return how often the audio of a video is found, and the other way round, among the first clips of some data.

    Args:
        network: The fine-tuned network.
        codec: The codec.
        alignment: The network of the frame features.
        data: Clips.
        n_tokens: How much of each clip is taken, from its beginning.

    Returns:
        ``video_to_audio_r1`` and ``audio_to_video_r1`` in [0, 1], and the number of clips, ``candidates``.
    """
    device, videos, audios = next(network.parameters()).device, [], []
    n_clips = min(len(data), _N_MEASURED)
    for index in range(n_clips):
        frames, whole = data.video(index)
        tokens = data.crop_tokens(torch.tensor([index]), np.zeros(1, dtype=np.int64), min(n_tokens, whole), device)
        conditions = alignment.condition(frames[None].to(device), whole)[:, : tokens.shape[1]]
        video, audio = network.embed(codec.encode(tokens), conditions)
        videos.append(video)
        audios.append(audio)
    likeness = torch.cat(videos) @ torch.cat(audios).T
    right = torch.arange(n_clips, device=likeness.device)
    found = {"video_to_audio_r1": likeness.argmax(1) == right, "audio_to_video_r1": likeness.argmax(0) == right}
    return {**{name: round(float(hits.float().mean()), 4) for name, hits in found.items()}, "candidates": n_clips}


RETRIEVAL: SystemPart = own_part(FOLDER, VabSettings, _new, _train, tag="vab_retrieval")
