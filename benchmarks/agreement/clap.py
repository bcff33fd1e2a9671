"""LAION-CLAP against its authors' own class: the full-size net, its layout, and what it is fed."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from agreement import Array, Case, array, peer_modules, random_weights, two_tones

from foleybench.encoders import Signal, _htsat, clap_laion

_UNUSED = ("ftfy", "regex", "h5py", "wget", "webdataset", "soundfile", "sklearn", "sklearn.metrics", "progressbar")


def _peer(checkout: Path) -> torch.nn.Module:
    """Their model as their ``CLAP_Module`` makes it, with random weights."""
    import transformers

    blank = transformers.RobertaModel(
        transformers.RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1)
    )
    blanked = mock.patch.object(transformers.RobertaModel, "from_pretrained", return_value=blank)
    with peer_modules(checkout / "src" / "laion_clap", absent=_UNUSED), blanked:
        model = importlib.import_module("clap_module.model")
        audio = {"audio_length": 1024, "clip_samples": 480000, "mel_bins": 64, "sample_rate": 48000}
        audio |= {"window_size": 1024, "hop_size": 480, "fmin": 50, "fmax": 14000, "class_num": 527}
        audio |= {"model_type": "HTSAT", "model_name": "base"}
        text = model.CLAPTextCfg(
            context_length=77, vocab_size=49408, width=512, heads=8, layers=12, model_type="roberta"
        )
        net = model.CLAP(1024, model.CLAPAudioCfp(**audio), text)
    return random_weights(net)


def _embedding(checkout: Path) -> tuple[Array, Array]:
    theirs = _peer(checkout)
    sound = two_tones(4.1, 48000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / clap_laion.WEIGHTS.filename
        torch.save({"epoch": 15, "state_dict": {f"module.{k}": v for k, v in theirs.state_dict().items()}}, path)
        ours = clap_laion.encode_with(_htsat.load(_htsat.new_net(), path), "cpu")
    # Their preparing function, by its own words: whole repeats, then zeros.
    centred = torch.from_numpy(sound - sound.mean(dtype=np.float64).astype(np.float32))
    repeated = centred.repeat(int(480000 / len(centred)))
    padded = torch.nn.functional.pad(repeated, (0, 480000 - len(repeated)))
    wanted = theirs.get_audio_embedding([{"waveform": padded, "longer": torch.tensor([False])}])
    found = ours([Signal(audio=sound, duration_s=4.1)])[0]["embedding"]
    return found[None], array(wanted)


def _layout(checkout: Path) -> tuple[Array, Array]:
    """Shapes of all tensors, in the order of their names; other names are an error."""
    theirs = {name: tuple(t.shape) for name, t in _peer(checkout).state_dict().items()}
    with torch.device("meta"):
        ours = {name: tuple(t.shape) for name, t in _htsat.SoundTower().state_dict().items()} | _htsat.other_shapes()
    if set(ours) != set(theirs):
        raise SystemExit(f"CLAP: names differ: {sorted(set(ours) ^ set(theirs))[:4]}")
    flat = [np.float32([size for name in sorted(shapes) for size in shapes[name]]) for shapes in (ours, theirs)]
    return flat[0], flat[1]


CASES = (
    Case(encoder="clap_laion", what="all tensors' shapes", peer="LAION-AI/CLAP", measure=_layout, tolerance=0.0),
    Case(encoder="clap_laion", what="embedding", peer="LAION-AI/CLAP", measure=_embedding),
)
