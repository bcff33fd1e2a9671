"""Encoder ``aisfx`` against the package's own functions, each in an environment of its own.

The package's pins do not fit beside ours, so its two front ends run in virtual environments that are made here through
pip (Essentia's; librosa 0.9.2's, with the numpy that it was made for), its network in ours, from the source in the
wheel. Weights are the real ones: ``foleybench weights fetch aisfx`` first.

    python benchmarks/aisfx_agreement.py --work out/aisfx_peers --sounds PAIRS
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders._nets.aisfx import read_aisfx_checkpoint
from foleybench.encoders._nets.aisfx_heads import HEADS
from foleybench.encoders.aisfx import ENCODER, LARGEST, LEAST_PEAK, WEIGHTS, spectrum
from foleybench.media.audio import resample
from foleybench.media.read import read_media_sound
from foleybench.scoring.wheel_weights import obtain_wheel

SETTINGS = {"sr": 44100, "block_size": 2048, "hop_size": 1024, "n_mels": 96, "f_min": 0.0, "f_max": 22050.0}
FRONT_ENDS = {"essentia": ("essentia", "soundfile"), "librosa": ("librosa==0.9.2", "numpy==1.23.5", "setuptools<70")}
_RUN = """
import importlib.util, sys
import numpy as np
source, *files = sys.argv[1:]
spec = importlib.util.spec_from_file_location("front", source)
front = importlib.util.module_from_spec(spec)
spec.loader.exec_module(front)
for path in files:
    np.save(path + ".npy", front.compute_spectrogram(path, **SETTINGS))
"""


def main() -> None:
    """Print the largest differences of both front ends, of the network, and of the whole chain."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/aisfx_peers"), help="work folder, kept between runs")
    parser.add_argument("--sounds", type=Path, required=True, help="folder of media files, searched to any depth")
    parser.add_argument("--most", type=int, default=20, help="of so many sounds (default: 20)")
    args = parser.parse_args()
    source = unpacked(args.work)
    sounds = levelled_sounds(args.sounds, args.most)
    print(f"{len(sounds)} sounds, {sum(map(len, sounds)) / 44100:.0f} s")
    theirs = {name: spectra(name, source, sounds, args.work) for name in FRONT_ENDS}
    ours = [spectrum(sound) * LARGEST for sound in sounds]
    for name, found in theirs.items():
        length = [min(len(a), len(b)) for a, b in zip(ours, found, strict=True)]
        extra = sorted({len(a) - len(b) for a, b in zip(ours, found, strict=True)})
        apart = [np.abs(a[:n] - b[:n]) for a, b, n in zip(ours, found, length, strict=True)]
        worst, mean = max(d.max() for d in apart), np.mean([d.mean() for d in apart])
        print(f"log-mel of {name}: largest difference {worst:.2g}, mean {mean:.2g}; our frames more: {extra}")
    net = peers_network(source)
    encode = ENCODER.build("cpu")
    made = encode([Signal(audio=sound, duration_s=len(sound) / 44100) for sound in sounds])
    for name, found in {"network alone": ours, **theirs}.items():
        apart_e, apart_l = compare(net, source, found, made)
        print(
            f"{name}: embeddings {apart_e:.2g} (largest {scale(made, 'embeddings'):.2g}), logits {apart_l:.2g} "
            f"(largest {scale(made, 'logits'):.2g})"
        )


def unpacked(work: Path) -> Path:
    """Return the folder of the package's source, from its wheel."""
    assert WEIGHTS.wheel
    folder = work / "source"
    if not folder.is_dir():
        work.mkdir(parents=True, exist_ok=True)
        zipfile.ZipFile(obtain_wheel(WEIGHTS.wheel, WEIGHTS.path.parent, work, print)).extractall(folder)
    return folder / "aisfx"


def levelled_sounds(folder: Path, most: int) -> list[Any]:
    """Return sounds at 44.1 kHz with a peak of 1: the package's first front end does not scale them."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix in {".mp4", ".m4a", ".mp3", ".wav", ".flac"})
    chosen = paths[:: max(1, len(paths) // most)][:most]
    sounds = [resample(*read_media_sound(path), 44100) for path in chosen]
    return [(s / np.abs(s).max()).astype(np.float32) for s in sounds if np.abs(s).max(initial=0.0) > LEAST_PEAK]


def spectra(name: str, source: Path, sounds: list[Any], work: Path) -> list[Any]:
    """Return what one of the package's front ends makes of sounds, frames by bands."""
    home = work / name
    if not home.is_dir():
        venv.create(home, with_pip=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", *FRONT_ENDS[name]], check=True)
    files = [work / f"{index:03d}.wav" for index in range(len(sounds))]
    for path, sound in zip(files, sounds, strict=True):
        soundfile.write(path, sound, 44100, subtype="FLOAT")
    script = _RUN.replace("SETTINGS", repr(SETTINGS))
    front = source / "spectrogram" / f"spectrogram_{name}.py"
    subprocess.run([home / "bin" / "python", "-I", "-c", script, front, *files], check=True, stderr=subprocess.DEVNULL)
    found = [np.load(f"{path}.npy").astype(np.float64) for path in files]
    # librosa's comes as bands by frames, which the package then cuts into blocks of bands.
    return [rows.T if rows.shape[0] == 96 and rows.shape[1] != 96 else rows for rows in found]


def peers_network(source: Path) -> Any:
    """Return the package's own class with its own weights."""
    classes = module(source / "models" / "cnn2d.py")
    heads = {name: (place, size) for place, (name, size) in enumerate(HEADS)}
    net = classes.CrossNet(classes.EmbeddingNet("max", 3, 1, 64), heads, "cpu")
    net.load_state_dict(read_aisfx_checkpoint(source / "models" / "checkpoint.pth"))
    return net.eval()


def module(path: Path) -> Any:
    """Import a file of the package alone."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@torch.inference_mode()
def compare(net: Any, source: Path, logmels: list[Any], made: list[Any]) -> tuple[float, float]:
    """Return the largest differences of embeddings and logits, the package's functions fed with log-mel spectra."""
    peer = module(source / "preprocessing.py")
    worst = [0.0, 0.0]
    for rows, features in zip(logmels, made, strict=True):
        scaled = peer.spectrogram_normalize(rows)
        hop = peer.compute_hopSize(100, 0.5, rows)
        data = torch.Tensor(peer.blocking(scaled, block_size=100, hop_size=hop, drop_partial_block=True))
        embeddings = net.get_embedding(data)
        logits = torch.cat([net(data, name)[1] for name, _ in HEADS], dim=1)
        for place, (theirs, layer) in enumerate(((embeddings, "embeddings"), (logits, "logits"))):
            n = min(len(theirs), len(features[layer]))
            worst[place] = max(worst[place], float(np.abs(theirs.numpy()[:n] - features[layer][:n]).max()))
    return worst[0], worst[1]


def scale(made: list[Any], layer: str) -> float:
    """Return the largest absolute value of a layer."""
    return max(float(np.abs(features[layer]).max()) for features in made)


if __name__ == "__main__":
    sys.exit(main())
