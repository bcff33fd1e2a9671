"""Diff-Foley's alignment classifier: spectrogram, autoencoder, half U-Net, probability; and its loop."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from agreement import Array, Case, array, peer_modules, random_weights, two_tones
from torch import nn

from foleybench.api.encoder import Signal
from foleybench.encoders import diff_foley_align

PEER = "luosiallen/Diff-Foley"
# So that random weights give probabilities that differ from clip to clip.
SPREAD = 1.6


@contextmanager
def classifier(checkout: Path) -> Iterator[Any]:
    """Give Diff-Foley's own classifier, built from its own configuration, with random weights."""
    from omegaconf import OmegaConf

    with peer_modules(checkout, ("pytorch_lightning",)):
        lightning = ModuleType("pytorch_lightning")
        lightning.__dict__["LightningModule"] = nn.Module
        sys.modules["pytorch_lightning"] = lightning
        settings = OmegaConf.load(checkout / "evaluation" / "config" / "eval_classifier.yaml").model
        module, _, name = settings.target.rpartition(".")
        net = getattr(importlib.import_module(module), name)(**settings.params)
        yield random_weights(net, scale=SPREAD)


def ours_of(theirs: nn.Module) -> diff_foley_align.AlignmentClassifier:
    """Return our network with their weights."""
    net = diff_foley_align.new_net()
    net.load_state_dict(theirs.state_dict())
    return net


def clips(n: int) -> tuple[Array, Array]:
    """Return spectrograms (n, 128, 512) and video features (n, 32, 512), all different."""
    rng = np.random.default_rng(0)
    sound = two_tones(8.25, 16000)
    sounds = [sound * np.float32(rng.uniform(0.01, 1.0)) + rng.normal(0, 0.02, len(sound)) for _ in range(n)]
    spectrograms = np.stack([diff_foley_align.spectrogram(one.astype(np.float32))[:, :512] for one in sounds])
    pictures = rng.standard_normal((n, 32, 512)).astype(np.float32)
    return spectrograms, pictures / np.linalg.norm(pictures, axis=2, keepdims=True)


def spectrogram(checkout: Path) -> tuple[Array, Array]:
    """The spectrogram by Diff-Foley's own function, on librosa as installed, asked to mirror as 0.8.0 does."""
    import librosa

    sound = two_tones(8.3, 16000)
    with peer_modules(checkout / "data_preprocess"):
        recipe = importlib.import_module("wav2spec")
        plain = librosa.stft
        try:
            librosa.stft = lambda *args, **kwargs: plain(*args, **kwargs, pad_mode="reflect")
            wanted = recipe.TRANSFORMS(sound[:-1].astype(np.float64))
        finally:
            librosa.stft = plain
    return diff_foley_align.spectrogram(sound[:-1]), np.asarray(wanted, dtype=np.float32)


def moments(checkout: Path) -> tuple[Array, Array]:
    """Mean and deviation of the latent."""
    sounds, _ = clips(1)
    with classifier(checkout) as theirs:
        posterior = theirs.encode_first_stage(torch.from_numpy(sounds)[:, None].expand(-1, 3, -1, -1))
        mean, deviation = ours_of(theirs).moments(torch.from_numpy(sounds))
    return array(torch.cat([mean, deviation])), array(torch.cat([posterior.mean, posterior.std]))


def deterministic(checkout: Path) -> tuple[Array, Array]:
    """Probabilities of two clips from the mean of the latent."""
    sounds, pictures = (torch.from_numpy(part) for part in clips(2))
    with classifier(checkout) as theirs:
        posterior = theirs.encode_first_stage(sounds[:, None].expand(-1, 3, -1, -1))
        latent = theirs.scale_factor * posterior.mode()
        zero = torch.zeros(2, dtype=torch.long)
        wanted = theirs.model(latent, context=theirs.cond_model(pictures), timesteps=zero)
        return array(ours_of(theirs)(sounds, pictures)), array(wanted[:, 0])


def whole_list(checkout: Path) -> tuple[Array, Array]:
    """Probabilities of five clips in batches of two, drawn as its ``align_acc.py`` draws them."""
    sounds, pictures = clips(5)
    with classifier(checkout) as theirs:
        torch.manual_seed(0)
        wanted = []
        for start in range(0, 5, 2):
            images = torch.from_numpy(sounds[start : start + 2])[:, None].expand(-1, 3, -1, -1)
            context = theirs.cond_model(torch.from_numpy(pictures[start : start + 2]))
            zero = torch.zeros(len(images), dtype=torch.long)
            wanted.append(theirs.model(theirs.encode_spec_z(images), context=context, timesteps=zero)[:, 0])
        net = ours_of(theirs)
        return diff_foley_align.as_published(net, sounds, pictures, batch_size=2), array(torch.cat(wanted))


def whole_chain(checkout: Path) -> tuple[Array, Array]:
    """From audio and CAVP features to the probability, their spectrogram and network against our encoder's input."""
    _, pictures = clips(1)
    sound = two_tones(8.3, 16000)
    _, wanted = spectrogram(checkout)
    signal = Signal(audio=sound, duration_s=8.3, features={"cavp_video": {"frames": pictures[0]}})
    found = diff_foley_align.judged(signal)
    if found is None:
        raise SystemExit("the clip is long enough and was not judged")
    with classifier(checkout) as theirs:
        latent = (
            theirs.scale_factor
            * theirs.encode_first_stage(torch.from_numpy(wanted[None, None, :, :512]).expand(-1, 3, -1, -1)).mode()
        )
        zero = torch.zeros(1, dtype=torch.long)
        context = theirs.cond_model(torch.from_numpy(pictures))
        theirs_probability = theirs.model(latent, context=context, timesteps=zero)[:, 0]
        ours = ours_of(theirs)(*(torch.from_numpy(part)[None] for part in found))
    return array(ours), array(theirs_probability)


CASES = (
    Case(encoder="diff_foley_align", what="spectrogram (128, 519), librosa", peer=PEER, measure=spectrogram),
    Case(encoder="diff_foley_align", what="latent: mean and deviation", peer=PEER, measure=moments),
    Case(encoder="diff_foley_align", what="probability, mean of the latent", peer=PEER, measure=deterministic),
    Case(
        encoder="diff_foley_align", what="probabilities of a list, sampled in its order", peer=PEER, measure=whole_list
    ),
    Case(encoder="diff_foley_align", what="audio to probability, whole chain", peer=PEER, measure=whole_chain),
)
