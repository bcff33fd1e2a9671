"""From a file on disk to what a network is fed and makes of it, against published chains written out.

Synchformer as av-benchmark feeds it, and Diff-Foley's classifier with CAVP; the networks are small, of random weights.
"""

import contextlib
import itertools
import os
import subprocess
import sys

import av
import numpy as np
import pytest
import soundfile
import torch

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.encoders import cavp_video, diff_foley_align, synchformer_audio, synchformer_video
from foleybench.encoders._inputs.frame_rate import frames_at
from foleybench.encoders._nets import synchformer
from foleybench.features.cache import FeatureCache
from foleybench.features.featurise import Featuriser
from foleybench.media.h264 import decode_mp4, encode_mp4
from foleybench.scoring.scorer import ClipToScore, load_clip
from foleybench.shards.dataset import ShardDataset, read_members
from tests.encoders import tiny_nets
from tests.made_clicks import make_clicks
from tests.media.test_sinc_table import half_window
from tests.scoring.test_front_end_from_disk import CLIP, DURATION_S, given, wav

pytestmark = pytest.mark.slow

RATES = [8000, 16000, 22050, 32000, 44100, 48000]
FPS = [12.5, 24.0, 25.0, 30000 / 1001, 30.0, 60.0]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return make_clicks(tmp_path_factory.mktemp("ten"), 1, duration_s=DURATION_S)


@pytest.fixture(scope="module")
def data(manifest):
    return ShardDataset(manifest)


def mono_of(path):
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.mean(axis=1), rate_hz


def heard_by_synchformer(path):
    """Return (24, 128, 66), in float64 after resampling: av_bench/data/audio_dataset.py:206-220, extract.py:18-40."""
    torchaudio = pytest.importorskip("torchaudio")
    mono, rate_hz = mono_of(path)
    resampled = torchaudio.transforms.Resample(rate_hz, 16000)(torch.from_numpy(mono)) if rate_hz != 16000 else mono
    audio = np.asarray(resampled, dtype=np.float64)[:128000]
    segments = [audio[5120 * k : 5120 * k + 10240] for k in range(24)]
    window = np.pad(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400), 312)
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 130) / 2595) - 1)
    bins = np.linspace(0, 8000, 513)[:, None]
    rising, falling = (bins - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - bins) / np.diff(edges)[1:]
    bands = np.maximum(0, np.minimum(rising, falling))
    made = np.zeros((24, 128, 66))
    for k, segment in enumerate(segments):
        frames = np.lib.stride_tricks.sliding_window_view(np.pad(segment, 512, mode="reflect"), 1024)[::160]
        made[k, :, :65] = np.log(np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 @ bands + 1e-6).T
    return (made + 4.2677393) / (2 * 4.5689974)


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_synchformer_hears_what_av_benchmark_feeds_it(data, tmp_path, monkeypatch, rate_hz, channels):
    net = tiny_nets.install(synchformer, tmp_path, monkeypatch).afeat_extractor
    path = wav(tmp_path / f"{CLIP}.wav", rate_hz, channels)
    samples = given(data, path, registry.load("protocols", "avbench"), "synchformer_audio")
    found, wanted = synchformer_audio.spectrograms_of(samples), heard_by_synchformer(path)
    assert found.shape == wanted.shape
    gaps = np.abs(found.numpy() - wanted)
    assert np.median(gaps) < 1e-6
    # Both toolkits use float32: a weak band beside strong ones is rounded with these, and the logarithm shows it (1e-5,
    # and 6e-5 in the empty upper half of audio of 8 kHz).
    assert gaps.max() < 1e-4
    made = synchformer_audio.ENCODER.build("cpu")([Signal(audio=samples, duration_s=8.0)])[0]["segments"]
    with torch.inference_mode():
        theirs = net(torch.from_numpy(np.float32(wanted))).numpy()
    share = 5e-5 if rate_hz == 8000 else 1e-5
    np.testing.assert_allclose(made, theirs, atol=share * np.abs(theirs).max())


def moving(fps):
    """Return 10 s of a pattern that moves, (T, 48, 64, 3), encoded as shards are."""
    rng = np.random.default_rng(0)
    still = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    return encode_mp4(np.stack([np.roll(still, 2 * k, axis=1) for k in range(round(10 * fps))]), fps)


def through_ffmpeg(path, rate, n):
    """Return ``n`` frames of a file through FFmpeg's own ``fps`` filter, (n, H, W, 3) uint8."""
    graph, found = av.filter.Graph(), []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        chain = [graph.add_buffer(template=stream), graph.add("fps", f"fps={rate}"), graph.add("buffersink")]
        for one, two in itertools.pairwise(chain):
            one.link_to(two)
        graph.configure()
        for frame in [*container.decode(stream), None]:
            graph.push(frame)
            with contextlib.suppress(EOFError, av.error.EOFError, av.error.BlockingIOError):
                while True:
                    found.append(graph.pull().to_ndarray(format="rgb24"))
    return np.stack(found[:n])


def seen_by_synchformer(path):
    """Return (24, 3, 16, 224, 224): av_bench/data/video_dataset.py:40-59 and 110-122."""
    v2 = pytest.importorskip("torchvision.transforms.v2")
    steps = [
        v2.Resize(224, interpolation=v2.InterpolationMode.BICUBIC),
        v2.CenterCrop(224),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(mean=[0.5] * 3, std=[0.5] * 3),
    ]
    pixels = v2.Compose(steps)(torch.from_numpy(through_ffmpeg(path, 25, 200)).permute(0, 3, 1, 2))
    return torch.stack([pixels[8 * k : 8 * k + 16].transpose(0, 1) for k in range(24)])


def seen_by_cavp(path, side_px):
    """Return (40, 3, side, side): inference/demo_util.py:25-57 and 96-140, without its lossy encoding in between."""
    from PIL import Image

    transforms = pytest.importorskip("torchvision.transforms")
    steps = transforms.Compose([transforms.Resize((side_px, side_px)), transforms.ToTensor()])
    return torch.stack([steps(Image.fromarray(frame)) for frame in through_ffmpeg(path, 4, 40)])


@pytest.mark.parametrize("fps", FPS)
def test_synchformer_and_cavp_see_what_their_authors_feed_them(tmp_path, fps):
    (tmp_path / "x.mp4").write_bytes(moving(fps))
    frames, times_s = decode_mp4((tmp_path / "x.mp4").read_bytes())
    signal = Signal(audio=np.zeros(0, np.float32), duration_s=10.0, frames=frames, frame_times_s=times_s)
    wanted = seen_by_synchformer(tmp_path / "x.mp4")
    found = synchformer_video.segments_of(signal)
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() <= 1e-6  # of 58 million numbers: assert_allclose takes two seconds
    wanted = seen_by_cavp(tmp_path / "x.mp4", 224)
    np.testing.assert_allclose(cavp_video.squeezed(frames_at(signal, 4.0)), wanted.numpy(), atol=1e-6)


# In a process of its own, for all sounds at once: this process compiles with NUMBA_OPT=0, and the loop then takes 5 s.
RESAMPY = """
import sys
import numpy as np
from resampy import interpn

half_window, made = np.load(sys.argv[1]), {}
for path in sys.argv[2:]:
    mono, ratio = np.load(path), 16000 / int(path.rpartition("/")[2].split("-")[0])
    window = half_window * min(1.0, ratio)
    resampled = np.zeros(int(len(mono) * ratio), dtype=np.float32)
    times = np.concatenate([[0.0], np.cumsum(np.full(len(resampled) - 1, 1.0 / ratio))])
    slopes = np.diff(window, append=window[-1])
    interpn.resample_f_s(mono, times, window, slopes, 512, min(1.0, ratio), resampled)
    np.save(path, resampled)
"""


@pytest.fixture(scope="module")
def loaded_by_diff_foley(tmp_path_factory):
    """Audio at 16 kHz by (rate, channels): resampy's own loop, with the times of 0.2.2; librosa 0.8.0 calls it."""
    pytest.importorskip("resampy")
    folder = tmp_path_factory.mktemp("resampy")
    np.save(folder / "window.npy", half_window())
    found = {}
    for rate_hz, channels in itertools.product(RATES, (1, 2)):
        found[rate_hz, channels], _ = mono_of(wav(folder / "x.wav", rate_hz, channels))
    files = {key: folder / f"{key[0]}-{key[1]}.npy" for key in found if key[0] != 16000}
    for key, path in files.items():
        np.save(path, found[key])
    words = [sys.executable, "-c", RESAMPY, *map(str, [folder / "window.npy", *files.values()])]
    subprocess.run(words, check=True, env={**os.environ, "NUMBA_OPT": "1", "NUMBA_CACHE_DIR": str(folder)})
    return found | {key: np.load(path) for key, path in files.items()}


def heard_by_diff_foley(mono):
    """Return (128, 512): data_preprocess/wav2spec.py:142-189 with librosa as 0.8.0 pads."""
    librosa = pytest.importorskip("librosa")
    audio = np.zeros(160000)
    audio[: len(mono)] = mono[:160000]
    spectrum = np.abs(librosa.stft(audio[:-1].astype(mono.dtype), n_fft=1024, hop_length=256, pad_mode="reflect"))
    mel = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=128, fmin=125, fmax=7600) @ spectrum
    return np.clip((20 * np.log10(np.maximum(1e-5, mel)) - 20 + 100) / 100, 0, 1)[:, :512]


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_diff_foley_hears_what_its_script_makes(data, loaded_by_diff_foley, tmp_path, rate_hz, channels):
    path = wav(tmp_path / f"{CLIP}.wav", rate_hz, channels)
    # Any encoder of 16 kHz: what the classifier is given, it is given with CAVP's features.
    samples = given(data, path, registry.load("protocols", "diff_foley"), "panns_16k")
    found = diff_foley_align.spectrogram(samples[:-1])[:, :512]
    theirs = loaded_by_diff_foley[rate_hz, channels]
    np.testing.assert_allclose(samples[: len(theirs)], theirs, atol=1e-6)
    gaps = np.abs(found - heard_by_diff_foley(theirs))
    # resampy adds its taps up in float32; weak bands show it (1e-6, and 2e-5 in the empty upper half of 8 kHz audio).
    assert np.median(gaps) < 1e-7
    assert gaps.max() < (5e-5 if rate_hz == 8000 else 3e-6)


@pytest.mark.parametrize("rate_hz", [22050, 44100])
def test_from_a_file_to_diff_foleys_probability(manifest, data, loaded_by_diff_foley, tmp_path, monkeypatch, rate_hz):
    folder = tmp_path / "weights"
    folder.mkdir()
    cavp, judge = (tiny_nets.install(module, folder, monkeypatch) for module in (cavp_video, diff_foley_align))
    monkeypatch.setattr(cavp_video, "SIDE_PX", 64)
    path = wav(tmp_path / f"{CLIP}.wav", rate_hz, 2)
    protocol = registry.load("protocols", "diff_foley")
    item, _ = load_clip(data, ClipToScore(CLIP, path, None), protocol, {})
    job = ("diff_foley_align", "generated")
    found = Featuriser([job], "cpu", FeatureCache(tmp_path / "cache"), protocol.frontend)([item.material])[0]
    entry = data.entry(CLIP)
    (tmp_path / "x.mp4").write_bytes(read_members(manifest.parent / entry.shard, entry, ("mp4",))["mp4"])
    with torch.inference_mode():
        pictures = cavp.video(seen_by_cavp(tmp_path / "x.mp4", 64))
        heard = torch.from_numpy(np.float32(heard_by_diff_foley(loaded_by_diff_foley[rate_hz, 2])))
        wanted = judge(heard[None], pictures[None, :32], None).numpy()
    np.testing.assert_allclose(found["cavp_video", "video"]["frames"], pictures.numpy(), atol=1e-6)
    np.testing.assert_allclose(found[job]["probability"], wanted, atol=1e-6)
