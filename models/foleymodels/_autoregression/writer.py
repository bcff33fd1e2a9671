"""Define, train and use networks that write codes."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from foleybench.api.model import BuildContext
from foleybench.clips import Clip
from foleybench.errors import FoleyError
from foleymodels._autoregression.settings import WriterSettings
from foleymodels._codecs.codec import Codec
from foleymodels._codecs.stage import codec_in
from foleymodels._parts.code_sampling import CodeSampling
from foleymodels._parts.draws import Draws
from foleymodels._parts.samplers import guided
from foleymodels._parts.windows import Windows
from foleymodels._systems.features import FeatureScale, alignment_in, clip_conditions, frame_conditions
from foleymodels._systems.parts import Parts, SystemPart, SystemRun, own_part
from foleymodels._training.data_parallel import share
from foleymodels._training.loop import Losses, n_parameters, write_metrics
from foleymodels._vocoders.mel_generator import MelGenerator

FOLDER = "writer"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Writing:
    """How codes are written.

    Attributes:
        sampling: How codes are drawn.
        guidance: Classifier-free guidance scale; 1 is none.
    """

    sampling: CodeSampling
    guidance: float = 1.0

    def twice(self, x: Tensor) -> Tensor:
        """Return a batch as the network sees it: with guidance twice, with and without the video."""
        return x if self.guidance == 1.0 else torch.cat([x, x])

    def dropped(self, batch: int, device: torch.device) -> Tensor:
        """Return which rows of ``twice`` a batch see no video, shape (batch,) or (2 * batch,)."""
        seen = torch.zeros(batch, dtype=torch.bool, device=device)
        return seen if self.guidance == 1.0 else torch.cat([seen, ~seen])

    def logits(self, both: Tensor) -> Tensor:
        """Return the guided logits of the rows of ``twice``."""
        if self.guidance == 1.0:
            return both
        conditional, unconditional = both.chunk(2)
        return guided(conditional, unconditional, self.guidance)


class CodeWriter(nn.Module, abc.ABC):
    """A network that writes codes, told of the video by features of frames.

    The features are the frame half of the shared condition, which has six frames to each side in it, and of the rest of
    the clip the mean picture and how strongly it moves. Its other half, the audio plan, has seen the whole clip, and
    would tell a causal or one-frame network what it must not know.

    Attributes:
        scale: Standardises the features.
        longest: Mel tokens of a training example, the longest stretch written at once.
    """

    scale: FeatureScale
    longest: int

    @abc.abstractmethod
    def losses(self, codes: Tensor, features: Tensor, dropped: Tensor) -> Losses:
        """Return ``loss``, cross-entropy in nats a code, and what else is logged.

        Args:
            codes: Shape (batch, n_positions, levels).
            features: One for each mel token, shape (batch, n_tokens, feature_dim).
            dropped: Examples that see no video, shape (batch,) bool.
        """

    @abc.abstractmethod
    def write(self, features: Tensor, how: Writing, rng: Draws) -> Tensor:
        """Write the codes of clips of one length, stretch by stretch.

        Args:
            features: One for each mel token, shape (batch, n_tokens, feature_dim).
            how: Guidance and drawing.
            rng: Source of all randomness.

        Returns:
            Shape (batch, n_positions, levels), int64.
        """

    @abc.abstractmethod
    def evaluations(self, n_tokens: int) -> int:
        """Return how often the network is evaluated for a clip (a guided evaluation counts once)."""


def continued(windows: Windows, write: Callable[[int, Tensor], Tensor], start: Tensor) -> Tensor:
    """Write a sequence longer than the network's context: each window goes on from what is written.

    The overlap of a window with the one before is given to it as its own past, and stays as it is.

    Args:
        windows: Of positions.
        write: From the first position of a window and the codes there that are written, shape (batch, n_known, levels),
            to the codes of the whole window, these included.
        start: No codes, shape (batch, 0, levels).

    Returns:
        Shape (batch, windows.n, levels).
    """
    codes = start
    for first in windows.starts:
        codes = torch.cat([codes[:, :first], write(first, codes[:, first:])], dim=1)
    return codes


def to_draw(known: Tensor, n: int) -> Tensor:
    """Return what ``write_codes`` is given for ``n`` positions: known codes first, then -1.

    Args:
        known: Shape (batch, n_known, levels).
        n: Positions of the window.
    """
    free = known.new_full((len(known), n - known.shape[1], known.shape[2]), -1)
    return torch.cat([known, free], dim=1)


def feature_dim(parts: Parts) -> int:
    """Return the width of the features that writers see."""
    return alignment_in(parts).settings.vama_dim


def writer_part(kind: type, new: Callable[[Any, int, Codec], CodeWriter], name: str) -> SystemPart:
    """Return the part that trains a writer on the codes of a trained codec.

    Args:
        kind: All settings of the system; the writer's are ``net``.
        new: From them, the width of the features and the codec to the untrained network.
        name: Name of the system, which is the kind of the part's checkpoint.
    """

    def made(settings: Any, parts: Parts) -> nn.Module:
        return new(settings, feature_dim(parts), codec_in(parts))

    return own_part(FOLDER, kind, made, _train, tag=f"{name}_writer")


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, CodeWriter)
    net: WriterSettings = run.settings.net
    job, codec, width, n = run.job, codec_in(run.parts), feature_dim(run.parts), network.longest
    conditions, device = frame_conditions(run), run.job.context.device
    network.scale.measure(conditions.sample()[:, :width].to(device))

    def losses(step: int, generator: torch.Generator) -> Losses:
        indices, starts = job.draw_crops(net.net_batch, n, step, generator)
        dropped = share().rows(torch.rand(net.net_batch, generator=generator) < net.net_drop_p).to(device)
        codes = codec.encode(job.data.crop_tokens(indices, starts, n, device))
        return network.losses(codes, conditions.crop(indices, starts, n, device)[..., :width], dropped)

    facts = job.fit(
        network, losses, FOLDER, steps=net.net_steps, rate=net.net_rate, ema=net.net_ema, name=FOLDER,
        monitor=run.monitor(FOLDER, network),
    )  # fmt: skip
    write_metrics(job.context.out, {FOLDER: {**facts, "parameters": n_parameters(network)}})


def writer_generator(settings: Any, parts: Parts, context: BuildContext) -> MelGenerator:
    """Return the generator of a trained writer and its codec.

    Raises:
        FoleyError: A number of evaluations or a sampler was asked for, which follow from the length here; or guidance
            of a network that never trained without the video.
    """
    net, writer, codec = settings.net, parts[FOLDER], codec_in(parts)
    assert isinstance(writer, CodeWriter)
    how = Writing(sampling=net.sampling, guidance=_guidance(net, context))
    condition_of, width = clip_conditions(parts, settings, context.device), feature_dim(parts)
    writer.eval().requires_grad_(False)

    def make(clips: Sequence[Clip], windows: Windows, rng: Draws) -> Tensor:
        codes = writer.write(condition_of(clips, windows.n)[..., :width], how, rng)
        return codec.decode(codes)[:, : windows.n]

    return MelGenerator(
        make, settings.signal, context, n_parameters=sum(n_parameters(part) for part in parts.values()),
        nfe=writer.evaluations(settings.signal.n_tokens), guidance=None if how.guidance == 1.0 else how.guidance,
    )  # fmt: skip


def _guidance(net: WriterSettings, context: BuildContext) -> float:
    for name, asked in (("--nfe", context.nfe), ("--sampler", context.sampler)):
        if asked is not None:
            raise FoleyError(
                f"{name} {asked} was asked for, but this system writes one code after the other: its evaluations "
                f"follow from the length of the clip. Leave {name} out."
            )
    guidance = net.guidance if context.guidance is None else context.guidance
    if guidance != 1.0 and not net.net_drop_p:
        raise FoleyError(
            f"--guidance {guidance} needs a network that also trained without the video, and this one was trained with "
            "net_drop_p=0. Leave --guidance out, or train again with --set net_drop_p=0.1."
        )
    return guidance
