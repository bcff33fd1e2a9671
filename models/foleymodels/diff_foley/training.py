"""Train Diff-Foley's denoiser and judge on crops, spliced or mismatched."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.clips import IntArray
from foleymodels._diffusion.process import Process
from foleymodels._systems.features import alignment_in, frame_conditions
from foleymodels._systems.parts import Parts, SystemRun, own_part
from foleymodels._training.conditions import Conditions
from foleymodels._training.data_parallel import share
from foleymodels._training.job import Job
from foleymodels._training.loop import Losses, batch_indices, n_parameters, write_metrics
from foleymodels.diff_foley.network import CrossDenoiser, PairJudge
from foleymodels.diff_foley.settings import DiffusionPartSettings, JudgePartSettings

DIFFUSION, JUDGE = "diffusion", "judge"
# Shortest part of a spliced example, and shortest move in time of a mismatched one, as a share of the example: the
# original splices 2 s at least in examples of 8.2 s.
_LEAST = 0.25


class CropPairs(NamedTuple):
    """Crops of audio with the frame features that go with them.

    Attributes:
        tokens: Mel tokens, shape (batch, n, token_dim).
        conditions: Frame features, one for each token, shape (batch, n, video_dim).
    """

    tokens: Tensor
    conditions: Tensor


def spliced(first: CropPairs, second: CropPairs, at: Tensor) -> CropPairs:
    """Return examples whose audio and features are one clip's up to some token, another's from its beginning after it.

    Args:
        first: Crops.
        second: Crops of other clips, of the same shapes.
        at: Number of tokens of the first, shape (batch,).
    """
    n = first.tokens.shape[1]
    place = torch.arange(n, device=first.tokens.device)[None]
    at = at.to(place.device)[:, None]
    later = (place - at).clamp_min(0)

    def joined(one: Tensor, other: Tensor) -> Tensor:
        moved = other.gather(1, later[..., None].expand_as(other))
        return torch.where((place < at)[..., None], one, moved)

    return CropPairs(joined(first.tokens, second.tokens), joined(first.conditions, second.conditions))


def mismatched(pairs: CropPairs, other: Tensor, kinds: Tensor, moves: Tensor) -> CropPairs:
    """Return pairs whose features are of the same moment, moved in time, or of another clip.

    Args:
        pairs: Crops that go together.
        other: Features of other clips, shape of the pairs' own.
        kinds: 0 for pairs that go together, 1 moved, 2 of another clip; shape (batch,).
        moves: Tokens that features are moved by, cyclically, shape (batch,).
    """
    n = pairs.tokens.shape[1]
    kinds, moves = kinds.to(other.device), moves.to(other.device)
    places = (torch.arange(n, device=other.device)[None] + moves[:, None]) % n
    moved = pairs.conditions.gather(1, places[..., None].expand_as(pairs.conditions))
    chosen = torch.where((kinds == 1)[:, None, None], moved, pairs.conditions)
    return CropPairs(pairs.tokens, torch.where((kinds == 2)[:, None, None], other, chosen))


class _Crops:
    """Draws the crops of a run: of a step's clips, and of others."""

    def __init__(self, run: SystemRun, device: torch.device) -> None:
        self.job: Job = run.job
        self._conditions: Conditions = frame_conditions(run)
        self._device = device
        self.n_tokens = run.settings.signal.tokens(run.settings.net.net_crop_s)

    def sample(self) -> Tensor:
        """Return features to standardise by."""
        return self._conditions.sample().to(self._device)

    def two(self, batch: int, step: int, generator: torch.Generator) -> tuple[CropPairs, CropPairs]:
        """Return crops of the step's clips, and as many of other clips."""
        data = self.job.data
        indices = batch_indices(len(data), batch, step, self.job.context.seed)
        away = torch.randint(1, max(2, len(data)), (batch,), generator=generator)
        others = (indices + away) % len(data)
        return self._pairs(indices, generator), self._pairs(others, generator)

    def _pairs(self, indices: Tensor, generator: torch.Generator) -> CropPairs:
        starts: IntArray = self.job.data.starts(indices, self.n_tokens, generator)
        crop = share().rows(indices), share().rows(starts), self.n_tokens, self._device
        return CropPairs(self.job.data.crop_tokens(*crop), self._conditions.crop(*crop))


def _drawn_lengths(n: int, batch: int, generator: torch.Generator) -> Tensor:
    """Draw lengths between a quarter and three quarters of ``n`` tokens, shape (batch,)."""
    least = max(1, round(n * _LEAST))
    return torch.randint(least, max(least, n - least) + 1, (batch,), generator=generator)


def _new_denoiser(settings: DiffusionPartSettings, parts: Parts) -> CrossDenoiser:
    return CrossDenoiser(settings.net, settings.signal.mel, alignment_in(parts).condition_dim)


def _train_denoiser(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, CrossDenoiser)
    settings, device = run.settings.net, next(network.parameters()).device
    process, crops = Process.of(settings.noise_schedule, settings.predicts), _Crops(run, device)
    network.net.scale.measure(crops.sample())

    def losses(step: int, generator: torch.Generator) -> Losses:
        batch, part = settings.net_batch, share()
        first, second = crops.two(batch, step, generator)
        lengths = _drawn_lengths(crops.n_tokens, batch, generator)
        whole = torch.rand(batch, generator=generator) >= settings.splice_p
        pairs = spliced(first, second, part.rows(torch.where(whole, crops.n_tokens, lengths)))
        dropped = part.rows(torch.rand(batch, generator=generator) < settings.net_drop_p).to(device)
        video = torch.where(dropped[:, None, None], 0.0, network.net.tokens(pairs.conditions))
        return {"loss": process.loss(lambda x, t: network(x, t, video), pairs.tokens, generator)}

    facts = run.job.fit(
        network, losses, DIFFUSION, steps=settings.net_steps, rate=settings.net_rate, ema=settings.net_ema,
        name=f"diffusion ({settings.predicts})", monitor=run.monitor(DIFFUSION, network),
    )  # fmt: skip
    write_metrics(run.job.context.out, {DIFFUSION: {**facts, "parameters": n_parameters(network)}})


def _new_judge(settings: JudgePartSettings, parts: Parts) -> PairJudge:
    width = alignment_in(parts).condition_dim
    return PairJudge(settings.judge, settings.net.feature_hz, settings.signal.mel, width)


def _train_judge(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, PairJudge)
    settings, device = run.settings.judge, network.leave.weight.device
    process, crops = Process.of(run.settings.net.noise_schedule, "noise"), _Crops(run, device)
    network.net.scale.measure(crops.sample())

    def losses(step: int, generator: torch.Generator) -> Losses:
        batch, part = settings.judge_batch, share()
        first, second = crops.two(batch, step, generator)
        moves = part.rows(_drawn_lengths(crops.n_tokens, batch, generator))
        wrong = torch.randint(1, 3, (batch,), generator=generator)
        true = torch.rand(batch, generator=generator) < settings.judge_true_p
        kinds = part.rows(torch.where(true, 0, wrong))
        pairs = mismatched(first, second.conditions, kinds, moves)
        t = part.rows(process.schedule.draw(batch, generator)).to(device)
        noise = torch.randn((batch, *pairs.tokens.shape[1:]), generator=generator)
        noisy = process.mix(pairs.tokens, part.rows(noise).to(device), t)
        logits = network(noisy, t, network.net.tokens(pairs.conditions))
        wanted = (kinds == 0).float().to(device)
        right = ((logits > 0) == (wanted > 0)).float().mean()
        return {"loss": F.binary_cross_entropy_with_logits(logits, wanted), "right": right}

    facts = run.job.fit(
        network, losses, JUDGE, steps=settings.judge_steps, rate=settings.judge_rate, ema=settings.judge_ema,
        name="judge of noisy pairs",
    )  # fmt: skip
    write_metrics(run.job.context.out, {JUDGE: {**facts, "parameters": n_parameters(network)}})


JUDGE_PART = own_part(JUDGE, JudgePartSettings, _new_judge, _train_judge)
DIFFUSION_PART = own_part(DIFFUSION, DiffusionPartSettings, _new_denoiser, _train_denoiser)
