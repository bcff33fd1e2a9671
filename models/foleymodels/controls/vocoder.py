"""The vocoder that `foleybench train vocoder` trains.

Scored alone, it is the real audio through mel tokens and vocoder. Models use this vocoder when
``--vocoder`` names it, else Griffin-Lim.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from foleybench.api.model import BuildContext, Model, TrainContext
from foleybench.errors import FoleyError
from foleybench.runtime import distributed
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts import checkpoint
from foleymodels._parts.signal import SignalSettings
from foleymodels._training.loop import Monitor, fit, forget_state, n_parameters, seeded, write_metrics
from foleymodels._training.optimisers import FitSettings
from foleymodels._vocoders.griffin_lim import griffin_lim
from foleymodels._vocoders.train_vocos import (
    Crops,
    VocoderRecipe,
    loss_of,
    mel_distance,
    spectral_distance,
    vocoder_recipe,
)
from foleymodels._vocoders.vocos import KIND, Vocos, save_vocos
from foleymodels.controls import vocoded
from foleymodels.controls._change import Control

# Clips of the validation split that it is measured on.
_N_VALIDATED = 32


def train(context: TrainContext) -> Path:
    """Train a vocoder for the mel settings of a size; goes on where a killed run stopped.

    Returns:
        The folder of the checkpoint.

    Raises:
        FoleyError: The folder holds a finished vocoder of other settings or data, or samples were asked for.
    """
    if context.sample_every:
        raise FoleyError("a vocoder makes no samples while it trains: leave --sample-every out.")
    recipe = vocoder_recipe(context.size, context.steps, context.settings)
    mel = SignalSettings.sizes()[context.size].mel
    data = ShardDataset(context.data)
    if not len(data):
        raise FoleyError(f"{context.data} has no usable clip to train on.")
    origin = {"seed": context.seed, "data": data.manifest.sha256, "recipe": dataclasses.asdict(recipe)}
    if distributed.agreed((context.out / checkpoint.CONFIG).is_file()):
        _refuse_changed(context.out, {"mel": dataclasses.asdict(mel), "origin": origin})
        return context.out
    module = seeded(lambda: Vocos(mel, recipe.shape), context.seed).to(context.device)
    crops = Crops(data, mel, recipe.crop_s)
    loop = FitSettings(steps=recipe.steps, learning_rate=recipe.learning_rate, ema_decay=recipe.ema_decay)
    losses = loss_of(module, recipe, crops, len(data), context.seed)
    monitor = Monitor(tensorboard=context.tensorboard)
    weights = fit(module, losses, loop, context.out, seed=context.seed, name="vocoder", monitor=monitor)
    if distributed.first():
        module.load_state_dict(weights)
        if context.val is not None:
            _measure(module, Crops(ShardDataset(context.val), mel, recipe.crop_s), recipe, context)
        save_vocos(context.out, weights, module, origin)
        forget_state(context.out)
    distributed.agreed(True)
    return context.out


def _refuse_changed(out: Path, wanted: dict[str, object]) -> None:
    _, config = checkpoint.read_checkpoint(out, KIND)
    changed = sorted(key for key, value in wanted.items() if config.get(key) != value)
    if changed:
        raise FoleyError(f"{out} holds a finished vocoder with another {', '.join(changed)}. Choose another --out.")


@torch.inference_mode()
def _measure(module: Vocos, crops: Crops, recipe: VocoderRecipe, context: TrainContext) -> None:
    """Write its distances from the real audio, and Griffin-Lim's, over some whole clips of the validation split."""
    module = module.cpu().eval()
    n_clips = min(_N_VALIDATED, len(ShardDataset(context.val))) if context.val else 0
    found: dict[str, list[float]] = {}
    iterations = SignalSettings.sizes()[context.size].vocoder_iterations
    for index in range(n_clips):
        audio = torch.from_numpy(crops.whole(index))[None]
        tokens, n = module.mel.tokens(audio), audio.shape[-1]
        for name, made in (
            ("vocoder", module(tokens, n)),
            ("griffin_lim", griffin_lim(module.mel, tokens, n, iterations=iterations)),
        ):
            found.setdefault(f"{name}_spectral", []).append(float(spectral_distance(made, audio)))
            found.setdefault(f"{name}_mel", []).append(float(mel_distance(module.mel, made, tokens)))
    means = {name: round(sum(values) / len(values), 5) for name, values in found.items()}
    write_metrics(context.out, {"parameters": n_parameters(module), "validation_clips": n_clips, **means})


def build(context: BuildContext) -> Control:
    """Make the control that passes the real audio through the vocoder of a checkpoint."""
    return vocoded.build(dataclasses.replace(context, vocoder=context.checkpoint))


MODEL = Model(
    title="Ground truth, trained vocoder",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio through the mel tokens and a trained vocoder.",
    build=build,
    train=train,
)
