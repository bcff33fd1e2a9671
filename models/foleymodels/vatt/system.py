"""Fill masked codes by a multiway encoder and a decoder.

Their prefix has five video frames a second, and the words of a caption where the settings say so.

Source: DragonLiu1995/video-to-audio-through-text@c8e51be vatt/vt2a (network, masks, sampling), of Liu, Su, Shlizerman
2024, "Tell what you hear from what you see".
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from foleybench.api.model import BuildContext
from foleybench.clips import Clip
from foleybench.errors import FoleyError
from foleymodels._codecs.stage import RESIDUAL_CODEC, codec_in
from foleymodels._codes.generate import masked_generator
from foleymodels._codes.masks import high_ratio_masks
from foleymodels._codes.training import GENERATOR, PredictCodes, train_masked
from foleymodels._systems.features import FRAME_FEATURES, alignment_in, frame_conditions
from foleymodels._systems.parts import Parts, SystemRun, own_part
from foleymodels._systems.system import System
from foleymodels._vocoders.mel_generator import MelGenerator
from foleymodels.vatt.captions import CAPTIONS, CaptionGuess
from foleymodels.vatt.captions import FOLDER as CAPTIONS_FOLDER
from foleymodels.vatt.network import Vatt, VattSettings

SMOOTHING = 0.1
Tell = Callable[[Sequence[Clip], Tensor], Sequence[str]]


def _new(settings: VattSettings, parts: Parts) -> Vatt:
    return Vatt(settings, codec_in(parts), alignment_in(parts).condition_dim)


def _train(run: SystemRun, network: nn.Module) -> None:
    """Train on the clips' own captions, where there is text: captions are guessed at generation only."""
    assert isinstance(network, Vatt)
    captions = run.job.data.labels
    network.scale.measure(frame_conditions(run).sample())
    if network.text is not None:
        network.text.learn_words([caption for caption in captions if caption])

    def predict_of(indices: Tensor) -> PredictCodes:
        return with_words(network, [captions[index] for index in indices.tolist()], 1)

    train_masked(run, network, predict_of, high_ratio_masks, smoothing=SMOOTHING)


def with_words(network: Vatt, captions: Sequence[str], copies: int) -> PredictCodes:
    """Return the network's prediction for clips of some captions.

    Args:
        network: The network.
        captions: One a clip; not looked at where the network reads no text.
        copies: Rows of the batch that each clip has, one after the other.
    """
    if network.text is None:
        return network
    rows = network.text.rows(captions).repeat_interleave(copies, dim=0)

    def predict(codes: Tensor, conditions: Tensor, dropped: Tensor) -> Tensor:
        # With guidance, the whole batch stands there twice.
        out: Tensor = network(codes, conditions, dropped, rows.repeat(len(codes) // len(rows), 1))
        return out

    return predict


def _guessed(parts: Parts, clips: Sequence[Clip], conditions: Tensor) -> Sequence[str]:
    guess = parts[CAPTIONS_FOLDER]
    assert isinstance(guess, CaptionGuess)
    return guess.guess(conditions)


def _true(parts: Parts, clips: Sequence[Clip], conditions: Tensor) -> Sequence[str]:
    return [clip.label for clip in clips]


def _nothing(parts: Parts, clips: Sequence[Clip], conditions: Tensor) -> Sequence[str]:
    return [""] * len(clips)


def _generator(tellers: Mapping[str, Any], settings: Any, parts: Parts, context: BuildContext) -> MelGenerator:
    network, net = parts[GENERATOR], settings.net
    assert isinstance(network, Vatt)
    if net.text not in tellers:
        raise FoleyError(
            "this checkpoint was trained with text=true: it reads the clips' true captions, which tell what is to be "
            "guessed from the video. Generate with vatt_true_captions, an oracle row, or train with text=predicted."
        )
    tell: Tell = functools.partial(tellers[net.text], parts)

    def predict_of(clips: Sequence[Clip], conditions: Tensor, copies: int) -> PredictCodes:
        return with_words(network, tell(clips, conditions), copies)

    return masked_generator(settings, parts, context, predict_of, noise=net.mask_noise, top_k=net.top_k)


def vatt_system(tellers: Mapping[str, Any], forced: Mapping[str, object]) -> System:
    """Return the system for some kinds of text.

    Args:
        tellers: From a value of the setting ``text`` to the function (parts, clips, features) -> captions.
        forced: Settings that define a variant.
    """
    generator = own_part(GENERATOR, VattSettings, _new, _train, tag="vatt_generator")
    return System(
        name="vatt",
        settings=VattSettings,
        parts=(FRAME_FEATURES, RESIDUAL_CODEC, CAPTIONS, generator),
        generator=functools.partial(_generator, tellers),
        forced=forced,
    )


SYSTEM = vatt_system({"none": _nothing, "predicted": _guessed}, {})
WITH_TRUE_CAPTIONS = vatt_system({"true": _true}, {"text": "true"})
