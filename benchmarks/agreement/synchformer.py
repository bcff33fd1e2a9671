"""Synchformer: both towers, the offset head and both front ends against av-benchmark's own code."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from agreement import Array, Case, array, peer_modules, random_weights, two_tones

from foleybench.api.encoder import Signal
from foleybench.encoders import synchformer_audio, synchformer_video
from foleybench.encoders._nets import synchformer as _synchformer

PEER = "hkchengrex/av-benchmark"
# Imported by av-benchmark, not used by what is measured.
ABSENT = (
    *("imagebind", "imagebind.models", "imagebind.models.imagebind_model", "imagebind.data", "torio", "torio.io"),
    *("pytorchvideo", "pytorchvideo.data", "pytorchvideo.data.clip_sampling", "laion_clap", "msclap"),
    "av_bench.extraction_models",
)


@contextmanager
def synchformer(checkout: Path) -> Iterator[Any]:
    """Give av-benchmark's own Synchformer with random weights."""
    import transformers.pytorch_utils
    import transformers.utils

    # Decorators and pruning that newer transformers dropped; none of it is run.
    lost = {
        "find_pruneable_heads_and_indices": transformers.pytorch_utils,
        "add_code_sample_docstrings": transformers.utils,
        "add_start_docstrings": transformers.utils,
        "add_start_docstrings_to_model_forward": transformers.utils,
    }
    for name, module in lost.items():
        if not hasattr(module, name):
            setattr(module, name, lambda *args, **kwargs: lambda decorated: decorated)
    with peer_modules(checkout, ABSENT):
        ast = importlib.import_module("av_bench.synchformer.hf_src.modeling_ast").ASTModel
        if not hasattr(ast, "get_head_mask"):  # dropped by transformers 5; nothing is masked
            ast.get_head_mask = lambda self, mask, n_layers: [None] * n_layers
        net = importlib.import_module("av_bench.synchformer.synchformer").Synchformer()
        yield random_weights(net)


def ours_of(theirs: Any) -> Any:
    """Return our network with their weights."""
    net = _synchformer.new_net()
    net.load_state_dict(theirs.state_dict())
    return net


def picture(checkout: Path) -> tuple[Array, Array]:
    """One segment of 16 frames through the video tower."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (16, 240, 320, 3), dtype=np.uint8)
    signal = Signal(audio=two_tones(0.64, 16000), duration_s=0.64, frames=frames, frame_times_s=np.arange(16) / 25)
    segments = synchformer_video.segments_of(signal)
    with synchformer(checkout) as theirs:
        transform = importlib.import_module("av_bench.data.video_dataset").VideoDataset([]).sync_transform
        wanted = theirs.extract_vfeats(transform(torch.from_numpy(frames).permute(0, 3, 1, 2))[None, None])[0]
        return array(ours_of(theirs).vfeat_extractor(segments)), array(wanted)


def pixels(checkout: Path) -> tuple[Array, Array]:
    """What the video tower is fed."""
    frames = np.random.default_rng(0).integers(0, 256, (4, 256, 455, 3), dtype=np.uint8)
    with peer_modules(checkout, ABSENT):
        transform = importlib.import_module("av_bench.data.video_dataset").VideoDataset([]).sync_transform
        wanted = transform(torch.from_numpy(frames).permute(0, 3, 1, 2))
    return array(synchformer_video.synchformer_input(frames)), array(wanted)


def sound(checkout: Path) -> tuple[Array, Array]:
    """Two seconds through the mel spectrogram and the audio tower."""
    audio = two_tones(2.0, 16000)
    with synchformer(checkout) as theirs:
        encode = importlib.import_module("av_bench.extract").encode_audio_with_sync
        wanted = encode(theirs, torch.from_numpy(audio)[None], synchformer_audio._mel())[0]
        return array(ours_of(theirs).afeat_extractor(synchformer_audio.spectrograms_of(audio))), array(wanted)


def offset(checkout: Path) -> tuple[Array, Array]:
    """Features of two windows through the offset head."""
    rng = torch.Generator().manual_seed(0)
    seen, heard = (torch.randn(2, 14, n, 768, generator=rng) for n in (8, 6))
    with synchformer(checkout) as theirs:
        return array(ours_of(theirs).offsets(seen, heard)), array(theirs.compare_v_a(seen, heard))


CASES = (
    Case(encoder="synchformer_video", what="pixels", peer=PEER, measure=pixels),
    Case(encoder="synchformer_video", what="segments (1, 8, 768)", peer=PEER, measure=picture),
    Case(encoder="synchformer_audio", what="segments (5, 6, 768), from audio", peer=PEER, measure=sound),
    Case(encoder="synchformer_offset", what="windows (2, 21)", peer=PEER, measure=offset),
)
