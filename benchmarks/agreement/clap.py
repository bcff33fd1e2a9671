"""LAION-CLAP against its authors' own class: the full-size net, its layout, and what it is fed."""

from __future__ import annotations

import contextlib
import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from agreement import Array, Case, array, peer_modules, random_weights, two_tones

from foleybench.api.encoder import Signal
from foleybench.encoders import clap_laion, clap_laion_text
from foleybench.encoders._nets import clap_text, htsat

_UNUSED = ("ftfy", "regex", "h5py", "wget", "webdataset", "soundfile", "sklearn", "sklearn.metrics", "progressbar")


def _peer(checkout: Path) -> torch.nn.Module:
    """Their model as their ``CLAP_Module`` makes it, with random weights."""
    import transformers

    blank = transformers.RobertaModel(
        # RoBERTa-base's own settings, where they are not transformers' defaults.
        transformers.RobertaConfig(
            vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1
        )
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


@contextlib.contextmanager
def _published(net: torch.nn.Module) -> Iterator[Path]:
    """A file of their model as they publish it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / clap_laion.WEIGHTS.filename
        torch.save({"epoch": 15, "state_dict": {f"module.{k}": v for k, v in net.state_dict().items()}}, path)
        yield path


def _text(checkout: Path) -> tuple[Array, Array]:
    """Captions of one token to as many as fit, as numbers: their tokenizer is transformers', and so is ours."""
    theirs = _peer(checkout)
    rng = np.random.default_rng(0)
    tokens = np.ones((4, 2, 77), dtype=np.int64)
    for one, n_words in zip(tokens, (1, 8, 40, 75), strict=True):
        one[0, : n_words + 2] = [0, *rng.integers(4, 50264, n_words), 2]
        one[1] = np.arange(77) < n_words + 2
    with _published(theirs) as path:
        ours = clap_laion_text.encode_with(clap_text.load_weights(clap_text.new_net(), path), "cpu")
    signals = [
        Signal(audio=np.zeros(0, np.float32), duration_s=0.0, features={clap_laion_text.WORDS: {"tokens": one}})
        for one in tokens
    ]
    given = {name: torch.from_numpy(tokens[:, row]) for row, name in enumerate(("input_ids", "attention_mask"))}
    found = np.stack([features["embedding"] for features in ours(signals)])
    return found, array(theirs.get_text_embedding(given))


def _embedding(checkout: Path) -> tuple[Array, Array]:
    theirs = _peer(checkout)
    sound = two_tones(4.1, 48000)
    with _published(theirs) as path:
        ours = clap_laion.encode_with(htsat.load_weights(htsat.new_net(), path), "cpu")
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
        ours = {name: tuple(t.shape) for name, t in htsat.ClapAudioTower().state_dict().items()} | htsat.other_shapes()
    if set(ours) != set(theirs):
        raise SystemExit(f"CLAP: names differ: {sorted(set(ours) ^ set(theirs))[:4]}")
    flat = [np.float32([size for name in sorted(shapes) for size in shapes[name]]) for shapes in (ours, theirs)]
    return flat[0], flat[1]


CASES = (
    Case(encoder="clap_laion", what="all tensors' shapes", peer="LAION-AI/CLAP", measure=_layout, tolerance=0.0),
    Case(encoder="clap_laion", what="embedding", peer="LAION-AI/CLAP", measure=_embedding),
    Case(encoder="clap_laion_text", what="embedding", peer="LAION-AI/CLAP", measure=_text),
)
