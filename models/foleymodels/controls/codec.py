"""Control: the real audio through a trained codec and the vocoder.

It is the best that a system of this codec's codes can reach: beside ``vocoded``, what the codes cost.
``foleybench train codec`` trains the residual codec alone; systems take it by ``--set codec=FOLDER``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from foleybench.api.model import BuildContext, Model, TrainContext
from foleybench.clips import AudioArray, Clip
from foleybench.errors import FoleyError
from foleymodels._codecs.kinds import read_codec
from foleymodels._codecs.settings import CodecStageSettings
from foleymodels._codecs.stage import FOLDER, TAG, new_residual_codec, train_residual_codec
from foleymodels._parts.mel import Mel
from foleymodels._training.decoded_data import cache_settings
from foleymodels._training.job import Job, is_finished, save_checkpoint
from foleymodels._training.loop import seeded
from foleymodels._training.settings import RunOptions, resolve
from foleymodels._vocoders.choose import vocoder_of
from foleymodels.controls._change import Control


def train(context: TrainContext) -> Path:
    """Train the residual codec alone; goes on where a killed run stopped.

    Returns:
        The folder of the checkpoint.

    Raises:
        FoleyError: Samples were asked for, or the folder holds a finished codec of other settings or data.
    """
    if context.sample_every:
        raise FoleyError("a codec makes no samples while it trains: leave --sample-every out.")
    settings, options = resolve(
        CodecStageSettings, RunOptions, context, main_steps=lambda chosen: chosen.codec.codec_steps
    )
    if is_finished(context, TAG, settings):
        return context.out
    job = Job.start(context, settings.loop, options, cache_settings(settings.signal))
    codec = seeded(lambda: new_residual_codec(settings), context.seed).to(context.device)
    train_residual_codec(job, settings.codec, codec)
    save_checkpoint(context.out, TAG, settings, codec.state_dict(), context, FOLDER)
    return context.out


def build(context: BuildContext) -> Control:
    """Make the control with the codec of a checkpoint.

    Raises:
        FoleyError: No checkpoint was given, or it holds no codec; or the named vocoder does not fit.
    """
    if context.checkpoint is None:
        raise FoleyError(
            "this control wants a trained codec: name a run folder of a system of codes, or its codec's, with "
            "--checkpoint, or train one with `foleybench train codec`."
        )
    codec, signal = read_codec(context.checkpoint)
    codec = codec.to(context.device)
    mel, vocoder = Mel(signal.mel), vocoder_of(context, signal.mel, signal.vocoder_iterations)

    @torch.inference_mode()
    def round_trip(clip: Clip, own: AudioArray, rng: np.random.Generator) -> AudioArray:
        tokens = mel.tokens(torch.from_numpy(own)[None])
        rebuilt = codec.decode(codec.encode(tokens.to(context.device)))[:, : tokens.shape[1]]
        return np.ascontiguousarray(vocoder(rebuilt, len(own))[0].cpu().clamp(-1.0, 1.0).numpy())

    return Control(round_trip, rate_hz=signal.rate_hz, vocoder=vocoder.name)


MODEL = Model(
    title="Ground truth, codec",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio through mel tokens, a trained codec of mel tokens, and the vocoder.",
    build=build,
    train=train,
)
