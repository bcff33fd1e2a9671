"""What encoders are given of a file on disk, against the toolkit's own chain written out."""

import numpy as np
import pytest
import soundfile
import torch

from foleybench import registry
from foleybench.features.featurise import _Chunk
from foleybench.protocols.avbench import PROTOCOL as AVBENCH
from foleybench.scoring.scorer import ClipToScore, load_clip
from foleybench.shards.dataset import ShardDataset

DURATION_S = 10.0
CLIP = "clip00_000000"


@pytest.fixture(scope="module")
def ten_seconds(tmp_path_factory):
    from tests.made_clicks import make_clicks

    return ShardDataset(make_clicks(tmp_path_factory.mktemp("ten"), 1, duration_s=DURATION_S))


def wav(path, rate_hz, channels):
    """Noise, some DC, and a mean of its own in every second, so that the order of the steps shows."""
    rng = np.random.default_rng(rate_hz)
    n = round(DURATION_S * rate_hz)
    slow = 0.1 * np.sin(2 * np.pi * 0.07 * np.arange(n) / rate_hz)
    audio = 0.1 * rng.standard_normal((n, channels)) + 0.05 + slow[:, None]
    soundfile.write(path, audio, rate_hz, subtype="PCM_16")
    return path


def of_av_benchmark(path, rate_hz, *, mean_kept):
    """hkchengrex/av-benchmark@050a5cd av_bench/data/audio_dataset.py:115-141 and 205-220, read through libsndfile."""
    import torchaudio

    samples, own_hz = soundfile.read(path, dtype="float32", always_2d=True)
    waveform = torch.from_numpy(samples.T.copy()).mean(dim=0)
    waveform = waveform if mean_kept else waveform - waveform.mean()
    audio = waveform if own_hz == rate_hz else torchaudio.transforms.Resample(own_hz, rate_hz)(waveform)
    return audio[: int(rate_hz * 8.0)].numpy()


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 32000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("encoder", ["panns_32k", "vggish", "clap_laion", "synchformer_audio"])
def test_avbench_resamples_and_then_cuts(ten_seconds, tmp_path, rate_hz, channels, encoder):
    """P5: cut first, the last milliseconds and the mean differ (KL 3.5e-5, Synchformer's features 5e-4 to 9e-4)."""
    path = wav(tmp_path / f"{CLIP}.wav", rate_hz, channels)
    item, problems = load_clip(ten_seconds, ClipToScore(CLIP, path, None), AVBENCH, {})
    assert not problems
    card = registry.load("encoders", encoder)
    found = _Chunk([item.material], AVBENCH.frontend).signal(0, encoder, card, "generated").audio
    wanted = of_av_benchmark(path, card.rate_hz, mean_kept=encoder == "synchformer_audio")
    assert len(found) == len(wanted) == 8 * card.rate_hz
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_cut_is_part_of_the_key(ten_seconds, tmp_path):
    """P5: features of the whole audio are not taken for those of its first 8 s."""
    path = wav(tmp_path / f"{CLIP}.wav", 16000, 1)
    item, _ = load_clip(ten_seconds, ClipToScore(CLIP, path, None), AVBENCH, {})
    card = registry.load("encoders", "loudness")
    keys = set()
    for duration_s in (8.0, 9.0, DURATION_S):
        material = type(item.material)(**{**vars(item.material), "duration_s": duration_s})
        keys.add(_Chunk([material], AVBENCH.frontend).key(0, "loudness", card, "generated"))
    assert len(keys) == 3
