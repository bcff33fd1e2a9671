"""Audiobox Aesthetics against its authors' own class: the full-size net, from windows to ratings."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

import numpy as np
import torch
from agreement import Array, Case, peer_modules, random_weights, two_tones

from foleybench.api.encoder import Signal
from foleybench.encoders import aesthetics
from foleybench.encoders._nets.aesthetics import load_weights

# Bars of their downloads.
_UNUSED = ("rich", "rich.progress", "tqdm.rich", "requests")
SETTINGS = {
    "proj_num_layer": 2,
    "proj_ln": True,
    "proj_act_fn": "gelu",
    "proj_dropout": 0.1,
    "nth_layer": 13,
    "use_weighted_layer_sum": True,
    "precision": "32",
    "normalize_embed": True,
    "output_dim": 1,
}
SCALES = {axis: {"mean": 3.0 + place, "std": 1.0 + 0.5 * place} for place, axis in enumerate(("CE", "CU", "PC", "PQ"))}


def _against_the_package(checkout: Path) -> tuple[Array, Array]:
    """Sounds of 3, 10 and 13 s, through a file as the authors publish it."""
    with peer_modules(checkout / "src", absent=_UNUSED):
        infer = importlib.import_module("audiobox_aesthetics.infer")
        net = random_weights(infer.AesMultiOutput(**SETTINGS, target_transform=SCALES))
        predictor = object.__new__(infer.AesPredictor)
        predictor.data_col, predictor.sample_rate, predictor.device = "path", 16000, torch.device("cpu")
        predictor.model = net
        predictor.target_transform = {axis: infer.Normalize(**scale) for axis, scale in SCALES.items()}
        sounds = [two_tones(seconds, 16000) for seconds in (3, 10, 13)]
        theirs = [predictor.forward([{"path": torch.from_numpy(s)[None], "sample_rate": 16000}])[0] for s in sounds]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / aesthetics.WEIGHTS.filename
        state = {f"model.{name}": tensor for name, tensor in net.state_dict().items()}
        torch.save({"state_dict": state, "model_cfg": SETTINGS, "target_transform": SCALES}, path)
        encode = aesthetics.encode_with(load_weights(path), "cpu")
    ours = encode([Signal(audio=sound, duration_s=len(sound) / 16000) for sound in sounds])
    return (
        np.float32([[one[layer] for layer in aesthetics.LAYERS] for one in ours]),
        np.float32([[one[axis] for axis in SCALES] for one in theirs]),
    )


CASES = (
    Case(
        encoder="aesthetics",
        what="ratings of 3, 10 and 13 s",
        peer="facebookresearch/audiobox-aesthetics",
        measure=_against_the_package,
        tolerance=1e-4,
    ),
)
