"""Cnn14 against audioset_tagging_cnn's own classes, which av-benchmark and audioldm_eval carry copies of."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

import numpy as np
import torch
from agreement import Array, Case, array, peer_modules, random_weights, two_tones

from foleybench.encoders import panns_16k, panns_32k
from foleybench.encoders._nets import cnn14

PEER = "qiuqiangkong/audioset_tagging_cnn"


def _pair(ours: cnn14.Cnn14, peer_class: str, checkout: Path) -> tuple[torch.nn.Module, Array]:
    grid = ours.grid
    with peer_modules(checkout / "pytorch"):
        models = importlib.import_module("models")
        theirs = getattr(models, peer_class)(
            grid.rate_hz, grid.window, grid.hop, grid.n_bands, int(grid.low_hz), int(grid.high_hz), 527
        )
    return theirs.eval(), two_tones(3.0, grid.rate_hz)


def _filters(ours: cnn14.Cnn14, theirs: torch.nn.Module, sound: Array) -> tuple[Array, Array]:
    batch = torch.from_numpy(sound)[None]
    wanted = theirs.logmel_extractor(theirs.spectrogram_extractor(batch))
    # Below -60 dB re full scale the audio's own float32 rounding is measured, not the filters.
    return array(ours.log_mel(batch).clamp(min=-60)), array(wanted.clamp(min=-60))


def _net(ours: cnn14.Cnn14, theirs: torch.nn.Module, sound: Array) -> tuple[Array, Array]:
    theirs.load_state_dict(random_weights(ours, scale=1.4).state_dict())
    batch = torch.from_numpy(sound)[None]
    kept = []
    theirs.fc_audioset.register_forward_hook(lambda module, given, result: kept.append(result))
    embedding = theirs(batch)["embedding"]
    return np.concatenate([array(x) for x in ours(batch)], 1), np.concatenate([array(kept[0]), array(embedding)], 1)


def _measure(what: object, module: object, peer_class: str, checkout: Path) -> tuple[Array, Array]:
    ours = cnn14.new_net(module.GRID)
    return what(ours, *_pair(ours, peer_class, checkout))


_NETS = (("panns_16k", panns_16k, "Cnn14_16k"), ("panns_32k", panns_32k, "Cnn14"))
CASES = tuple(
    Case(
        encoder=name, what=what, peer=PEER, measure=functools.partial(_measure, how, module, peer), tolerance=tolerance
    )
    for name, module, peer in _NETS
    for what, how, tolerance in (("our filters, dB", _filters, 1e-3), ("net", _net, 1e-5))
)
