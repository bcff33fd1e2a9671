"""PaSST against hear21passt's wrapper: spectrogram and net together."""

from __future__ import annotations

import copy
import importlib
from pathlib import Path

import numpy as np
import torch
from agreement import Array, Case, array, peer_modules, random_weights, two_tones

from foleybench.encoders import Signal, passt


def _wrapper(checkout: Path) -> tuple[Array, Array]:
    ours = random_weights(passt.new_net())
    sound = two_tones(10.0, 32000)
    with peer_modules(checkout):
        preprocess = importlib.import_module("hear21passt.models.preprocess")
        wrapper = importlib.import_module("hear21passt.wrapper")
        settings = {"freqm": 48, "timem": 192, "htk": False, "fmin": 0.0, "fmax": None, "norm": 1}
        mel = preprocess.AugmentMelSTFT(128, 32000, 800, 320, 1024, **settings, fmin_aug_range=10, fmax_aug_range=2000)
        theirs = wrapper.PasstBasicWrapper(mel=mel, net=copy.deepcopy(ours), mode="all").eval()
        prepared = torch.from_numpy(passt.prepared(Signal(audio=sound, duration_s=10.0)))[None]
        wanted = theirs(prepared)
    logits, embedding = ours(passt.MelFrontend("cpu")(prepared)[:, None])
    return np.concatenate([array(logits), array(embedding)], axis=1), array(wanted)


CASES = (Case(encoder="passt", what="spectrogram and net", peer="kkoutini/passt_hear21", measure=_wrapper),)
