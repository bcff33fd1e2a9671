"""Train and build systems whose flow is conditioned on frames alone."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from foleybench.api.model import BuildContext, TrainContext
from foleybench.clips import Clip
from foleybench.errors import FoleyError
from foleymodels._flow.generate import flow_generator
from foleymodels._flow.network import Flow
from foleymodels._flow.settings import FlowSettings
from foleymodels._flow.training import FOLDER, train_flow
from foleymodels._parts import checkpoint
from foleymodels._parts.settings import read_settings
from foleymodels._parts.signal import SignalSettings
from foleymodels._training.conditions import Conditions, FrameCondition, forget_conditions
from foleymodels._training.decoded_data import cache_settings, video_input
from foleymodels._training.job import Job, is_finished, save_checkpoint
from foleymodels._training.loop import seeded
from foleymodels._training.settings import LoopSettings, RunOptions, resolve
from foleymodels._vocoders.mel_generator import MelGenerator


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlowSystemSettings:
    """The settings that decide a trained system of this kind."""

    signal: SignalSettings
    flow: FlowSettings
    loop: LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlowSystem:
    """Training and building of a flow whose condition needs no training.

    Attributes:
        name: Registry name, also in checkpoints.
        width: Numbers of the condition, for every token.
        condition_of: From the frame maps of a clip, shape (m, cells, cells, 6) uint8, and its number of tokens to its
            condition, shape (n_tokens, width).
        forced: Settings that define the system, by name.
    """

    name: str
    width: int
    condition_of: FrameCondition
    forced: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def train(self, context: TrainContext) -> Path:
        """Train the flow; goes on where a killed run stopped.

        Returns:
            The folder of the checkpoint.
        """
        settings, options = resolve(FlowSystemSettings, RunOptions, context, forced=dict(self.forced))
        if is_finished(context, self.name, settings):
            return context.out
        job = Job.start(context, settings.loop, options, cache_settings(settings.signal))
        key = hashlib.sha256(f"{self.name} {job.data.folder.name}".encode()).hexdigest()[:16]
        conditions = Conditions(job.data, job.conditions_folder, self.condition_of, width=self.width, key=key)
        flow = seeded(lambda: self._new_flow(settings), context.seed).to(context.device)
        flow.fit_scale(conditions.sample())
        samples = BuildContext(device=context.device)
        train_flow(job, flow, conditions.crop, lambda twin: self._generator(settings, twin, samples))
        save_checkpoint(context.out, self.name, settings, flow.state_dict(), context, FOLDER)
        forget_conditions(context.out)
        return context.out

    def build(self, context: BuildContext) -> MelGenerator:
        """Read a checkpoint and make the generator.

        Raises:
            FoleyError: No checkpoint was given, or it does not fit.
        """
        if context.checkpoint is None:
            raise FoleyError(
                f"{self.name} is trained: name its run folder with --checkpoint, or train it with "
                f"`foleybench train {self.name}`."
            )
        tensors, config = checkpoint.read_checkpoint(context.checkpoint, self.name)
        settings = read_settings(FlowSystemSettings, config["settings"], context.checkpoint)
        flow = self._new_flow(settings)
        checkpoint.load_into(flow, tensors, context.checkpoint)
        return self._generator(settings, flow, context)

    def _new_flow(self, settings: FlowSystemSettings) -> Flow:
        return Flow(settings.flow, settings.signal.mel, self.width)

    def _generator(self, settings: FlowSystemSettings, flow: Flow, context: BuildContext) -> MelGenerator:
        wanted = cache_settings(settings.signal)

        def condition_of(clips: Sequence[Clip], n_tokens: int) -> Tensor:
            maps = [torch.from_numpy(video_input(clip, wanted)) for clip in clips]
            return torch.stack([self.condition_of(of_clip, n_tokens) for of_clip in maps])

        return flow_generator(flow, condition_of, settings.signal, context)
