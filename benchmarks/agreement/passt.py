"""PaSST against hear21passt's wrapper, and as audiocraft and stable-audio-metrics feed it: their own functions."""

from __future__ import annotations

import contextlib
import copy
import importlib
import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import soundfile
import torch
from agreement import Array, Case, array, peer_modules, random_weights, two_tones
from torch import Tensor, nn

from foleybench.api.encoder import Encoder, Signal
from foleybench.api.weights import accept
from foleybench.encoders import passt, passt_segments, passt_windows
from foleybench.encoders._nets import passt as nets

_MEL = {"freqm": 48, "timem": 192, "htk": False, "fmin": 0.0, "fmax": None, "norm": 1}


def _wrapped(net: nn.Module, mode: str) -> nn.Module:
    """The package's wrapper around a net, as its ``get_basic_model`` makes it."""
    preprocess = importlib.import_module("hear21passt.models.preprocess")
    wrapper = importlib.import_module("hear21passt.wrapper")
    mel = preprocess.AugmentMelSTFT(128, 32000, 800, 320, 1024, **_MEL, fmin_aug_range=10, fmax_aug_range=2000)
    return wrapper.PasstBasicWrapper(mel=mel, net=copy.deepcopy(net), mode=mode).eval()


def _wrapper(checkout: Path) -> tuple[Array, Array]:
    ours = random_weights(nets.new_net())
    prepared = torch.from_numpy(passt.passt_input(Signal(audio=two_tones(10.0, 32000), duration_s=10.0)))[None]
    with peer_modules(checkout):
        wanted = _wrapped(ours, "all")(prepared)
    logits, embedding = ours(nets.MelFrontend("cpu")(prepared)[:, None])
    return np.concatenate([array(logits), array(embedding)], axis=1), array(wanted)


def _encoded(encoder: Encoder, net: nn.Module, sound: Array) -> Array:
    """Our encoder's logits, with the net's weights in a file as it would be fetched."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict("os.environ", FOLEYBENCH_WEIGHTS=folder):
        torch.save(net.state_dict(), encoder.weights.path)
        accept(encoder.weights)
        return encoder.build("cpu")([Signal(audio=sound, duration_s=len(sound) / 32000)])[0]["logits"]


def _module(path: Path, name: str) -> object:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _segments(checkout: Path) -> tuple[Array, Array]:
    """Probabilities: that is what audiocraft's methods return."""
    net = random_weights(nets.new_net())
    sound = two_tones(10.7, 32000)
    absent = {"torchmetrics": SimpleNamespace(Metric=object), "audiocraft": mock.MagicMock(__path__=[])}
    stand_ins = ("audiocraft.metrics", "audiocraft.data", "audiocraft.data.audio_utils")
    with mock.patch.dict("sys.modules", absent | {name: mock.MagicMock(__path__=[]) for name in stand_ins}):
        kld = _module(checkout / "audiocraft" / "metrics" / "kld.py", "audiocraft.metrics.kld")
        kld.convert_audio = lambda wav, from_rate, to_rate, to_channels: wav  # already 32 kHz mono
        metric = SimpleNamespace(max_input_frames=320000, min_input_frames=4800, model_sample_rate=32000, device="cpu")
        metric.model = _wrapped(net, "logits")
        methods = kld.PasstKLDivergenceMetric
        parts = methods._process_audio(metric, torch.from_numpy(sound)[None], 32000, len(sound))
        wanted = torch.cat([methods._get_model_preds(metric, part) for part in parts])
    ours = torch.from_numpy(_encoded(passt_segments.ENCODER, net, sound)).softmax(-1)
    return array(ours), array(wanted)


@contextlib.contextmanager
def _no_gpu() -> Iterator[None]:
    with mock.patch.object(Tensor, "cuda", lambda tensor: tensor):
        yield


def _windows(checkout: Path) -> tuple[Array, Array]:
    """Probabilities: that is what the peer's function returns."""
    net = random_weights(nets.new_net())
    sound = two_tones(16.0, 32000)
    kld = _module(checkout / "src" / "passt_kld.py", "passt_kld")
    with tempfile.TemporaryDirectory() as folder, _no_gpu():
        path = Path(folder) / "sound.wav"
        soundfile.write(path, sound, 32000, subtype="FLOAT")
        wanted = kld.return_probabilities(_wrapped(net, "logits"), str(path))
    ours = torch.from_numpy(_encoded(passt_windows.ENCODER, net, sound)).softmax(-1)
    return array(ours), array(wanted)


CASES = (
    Case(encoder="passt", what="spectrogram and net", peer="kkoutini/passt_hear21", measure=_wrapper),
    Case(encoder="passt_segments", what="probabilities", peer="facebookresearch/audiocraft", measure=_segments),
    Case(encoder="passt_windows", what="probabilities", peer="Stability-AI/stable-audio-metrics", measure=_windows),
)
