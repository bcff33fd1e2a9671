"""ImageBind against its authors' own class and av-benchmark's own data sets; narrow nets of the same layout."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torchaudio
from agreement import Array, Case, array, peer_modules, random_weights, two_tones

from foleybench.api.encoder import Signal
from foleybench.encoders import imagebind_audio, imagebind_video
from foleybench.encoders._nets import imagebind

IMAGEBIND, AV_BENCHMARK = "facebookresearch/ImageBind", "hkchengrex/av-benchmark"
_UNUSED = (
    *("ftfy", "regex", "iopath", "iopath.common", "iopath.common.file_io", "pkg_resources"),
    *("pytorchvideo", "pytorchvideo.data", "pytorchvideo.data.clip_sampling", "pytorchvideo.data.encoded_video"),
)
_TOWER = imagebind.Tower(width=64, depth=3, heads=4)
NARROW = imagebind.ImageBindSizes(
    out=48, vision=_TOWER, audio=_TOWER, text=_TOWER, depth=_TOWER, thermal=_TOWER, imu=_TOWER, words=49408
)


def _peer(sizes: imagebind.ImageBindSizes) -> torch.nn.Module:
    """Their model with our sizes; to be called with their modules importable."""
    settings = {"out_embed_dim": sizes.out}
    for name in ("vision", "audio", "text", "depth", "thermal", "imu"):
        tower = getattr(sizes, name)
        settings |= {f"{name}_embed_dim": tower.width, f"{name}_num_blocks": tower.depth}
        settings |= {f"{name}_num_heads": tower.heads}
    return importlib.import_module("imagebind.models.imagebind_model").ImageBindModel(**settings)


def _layout(checkout: Path) -> tuple[Array, Array]:
    """Shapes of all tensors of ``imagebind_huge``, in the order of their names; other names are an error."""
    on_cpu = mock.patch.object(torch, "linspace", functools.partial(torch.linspace, device="cpu"))
    with peer_modules(checkout, absent=_UNUSED):
        importlib.import_module("imagebind.models.imagebind_model")  # not while everything is made on "meta"
        with torch.device("meta"), on_cpu:
            theirs = {name: tuple(tensor.shape) for name, tensor in _peer(imagebind.HUGE).state_dict().items()}
    ours = imagebind.layout()
    if set(ours) != set(theirs):
        raise SystemExit(f"ImageBind: names differ: {sorted(set(ours) ^ set(theirs))[:4]}")
    flat = [np.float32([size for name in sorted(shapes) for size in shapes[name]]) for shapes in (ours, theirs)]
    return flat[0], flat[1]


def _nets(checkout: Path) -> tuple[torch.nn.Module, dict[str, torch.nn.Module]]:
    with peer_modules(checkout, absent=_UNUSED):
        theirs = random_weights(_peer(NARROW))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "imagebind_huge.pth"
        torch.save(theirs.state_dict(), path)
        towers = {"audio": imagebind.audio_tower(NARROW), "vision": imagebind.vision_tower(NARROW)}
        return theirs, {name: imagebind.load_weights(tower, path, NARROW) for name, tower in towers.items()}


def _tower(modality: str, checkout: Path) -> tuple[Array, Array]:
    theirs, ours = _nets(checkout)
    rng = torch.Generator().manual_seed(1)
    shape = {"audio": (2, 3, 1, 128, 204), "vision": (2, 4, 3, 2, 224, 224)}[modality]
    clips = torch.randn(shape, generator=rng)
    return array(ours[modality](clips)), array(theirs({modality: clips})[modality])


def _sampler(checkout: Path, absent: dict[str, object]) -> object:
    """av-benchmark's data module, with pytorchvideo's sampler of its pinned commit beside the checkout."""
    sampling = _module(
        checkout.parent / "facebookresearch+pytorchvideo/pytorchvideo/data/clip_sampling.py", "clip_sampling"
    )
    names = ("pytorchvideo", "pytorchvideo.data")
    stand_ins = absent | {name: mock.MagicMock(__path__=[]) for name in names}
    with mock.patch.dict("sys.modules", stand_ins | {"pytorchvideo.data.clip_sampling": sampling}):
        return _module(checkout / "av_bench/data/audio_dataset.py", "audio_dataset")


def _module(path: Path, name: str) -> object:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict("sys.modules", {name: module}):
        spec.loader.exec_module(module)
    return module


def _spectrograms(seconds: float, checkout: Path) -> tuple[Array, Array]:
    sound = two_tones(seconds, 16000)
    module = _sampler(checkout, {})
    # torchaudio reads no files any more; its answer is the array itself.
    with mock.patch.object(torchaudio, "load", return_value=(torch.from_numpy(sound.copy())[None], 16000)):
        theirs = module.ImageBindAudioDataset([Path("sound.wav")])[0][0][0]
    return imagebind_audio.spectrograms(sound), array(theirs)


def _pairs(height: int, width: int, checkout: Path) -> tuple[Array, Array]:
    """From the four chosen frames on: their transform, their crops and their pairing."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (200, height, width, 3), dtype=np.uint8)
    times = np.arange(200) / 25
    ours = imagebind_video.pairs(
        Signal(audio=np.zeros(0, np.float32), duration_s=8.0, frames=frames, frame_times_s=times)
    )
    stand_ins = {name: mock.MagicMock(__path__=[]) for name in ("torio", "torio.io", "av_bench", "av_bench.data")}
    crop = _module(checkout / "av_bench/data/ib_data.py", "ib_data")
    with mock.patch.dict("sys.modules", stand_ins | {"av_bench.data.ib_data": crop}):
        dataset = _module(checkout / "av_bench/data/video_dataset.py", "video_dataset").VideoDataset([])
    picked = torch.from_numpy(frames[[24, 74, 124, 174]]).permute(0, 3, 1, 2)
    video = torch.stack(dataset.crop([dataset.ib_transform(picked)]))[None]
    kept = {}
    missing = ("colorlog", "av_bench.args", "av_bench.data.video_dataset", "av_bench.synchformer", "einops")
    missing += ("av_bench.synchformer.synchformer", "imagebind", "imagebind.models", "imagebind.models.imagebind_model")
    with mock.patch.dict("sys.modules", stand_ins | {name: mock.MagicMock(__path__=[]) for name in missing}):
        extract = _module(checkout / "extract_video.py", "extract_video")
    extract.rearrange = lambda clips, pattern: kept.setdefault("clips", clips).transpose(2, 3)
    extract.encode_video_with_imagebind(mock.MagicMock(), video)
    return ours, array(kept["clips"].transpose(2, 3)[0])


CASES = (
    Case(encoder="imagebind_audio", what="all tensors' shapes", peer=IMAGEBIND, measure=_layout, tolerance=0.0),
    Case(encoder="imagebind_audio", what="tower", peer=IMAGEBIND, measure=functools.partial(_tower, "audio")),
    Case(encoder="imagebind_video", what="tower", peer=IMAGEBIND, measure=functools.partial(_tower, "vision")),
    *(
        Case(
            encoder="imagebind_audio",
            what=f"spectrograms of {seconds} s",
            peer=AV_BENCHMARK,
            measure=functools.partial(_spectrograms, seconds),
        )
        for seconds in (8.0, 5.3, 1.1)
    ),
    *(
        Case(
            encoder="imagebind_video",
            what=f"clips of {width} x {height}",
            peer=AV_BENCHMARK,
            measure=functools.partial(_pairs, height, width),
        )
        for height, width in ((240, 321), (300, 224))
    ),
)
