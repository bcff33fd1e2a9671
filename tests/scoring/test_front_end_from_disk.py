"""What encoders are given of a file on disk, against the toolkit's own chain written out."""

import numpy as np
import pytest
import soundfile
import torch

from foleybench import registry
from foleybench.features.featurise import _Chunk
from foleybench.protocols.avbench import PROTOCOL as AVBENCH
from foleybench.runtime.precision import WHOLE
from foleybench.scoring.scorer import ClipToScore, load_clip
from foleybench.shards.dataset import ShardDataset

DURATION_S = 10.0
CLIP = "clip00_000000"


@pytest.fixture(scope="module")
def ten_seconds(tmp_path_factory):
    from tests.made_clicks import make_clicks

    return ShardDataset(make_clicks(tmp_path_factory.mktemp("ten"), 1, duration_s=DURATION_S))


def wav(path, rate_hz, channels, duration_s=DURATION_S):
    """Noise, some DC, and a mean of its own in every second, so that the order of the steps shows."""
    rng = np.random.default_rng(rate_hz)
    n = round(duration_s * rate_hz)
    slow = 0.1 * np.sin(2 * np.pi * 0.07 * np.arange(n) / rate_hz)
    audio = 0.1 * rng.standard_normal((n, channels)) + 0.05 + slow[:, None]
    soundfile.write(path, audio, rate_hz, subtype="PCM_16")
    return path


def given(data, path, protocol, encoder):
    """Return the samples that an encoder is given of a file under a protocol, by way of the evaluator."""
    item, problems = load_clip(data, ClipToScore(CLIP, path, None), protocol, {})
    assert not problems
    card = registry.load("encoders", encoder)
    return _Chunk([item.material], protocol.frontend, {encoder: WHOLE}).signal(0, encoder, card, "generated").audio


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
    card = registry.load("encoders", encoder)
    found = given(ten_seconds, path, AVBENCH, encoder)
    wanted = of_av_benchmark(path, card.rate_hz, mean_kept=encoder == "synchformer_audio")
    assert len(found) == len(wanted) == 8 * card.rate_hz
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("duration_s", [8.0, 9.0])
@pytest.mark.parametrize(("rate_hz", "encoder"), [(16000, "vggish"), (44100, "panns_32k")])
def test_avbench_takes_the_mean_of_a_shorter_file_over_that_file(ten_seconds, tmp_path, rate_hz, encoder, duration_s):
    """MMAudio and Frieren make 8 s for clips of 10 s: the file, whatever silence would make it as long as its clip."""
    path = wav(tmp_path / f"{CLIP}.wav", rate_hz, 1, duration_s)
    card = registry.load("encoders", encoder)
    found = given(ten_seconds, path, AVBENCH, encoder)
    np.testing.assert_allclose(found, of_av_benchmark(path, card.rate_hz, mean_kept=False), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 32000, 44100, 48000])
def test_avbench_feeds_imagebind_through_torchaudios_function(ten_seconds, tmp_path, rate_hz):
    """As av_bench/data/audio_dataset.py:166-168; of one channel, since the peer takes the first and we the mean."""
    import torchaudio

    path = wav(tmp_path / f"{CLIP}.wav", rate_hz, 1)
    found = given(ten_seconds, path, AVBENCH, "imagebind_audio")
    samples = torch.from_numpy(soundfile.read(path, dtype="float32")[0])
    wanted = torchaudio.functional.resample(samples, rate_hz, 16000)[: 8 * 16000].numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def of_audioldm_eval(path, rate_hz):
    """haoheliu/audioldm_eval@8dc07ee audioldm_eval/datasets/load_mel.py:156-175, read through libsndfile."""
    import torchaudio

    samples, own_hz = soundfile.read(path, dtype="float32", always_2d=True)
    first = torch.from_numpy(samples.T.copy())[0:1]
    first = first - first.mean()
    return torchaudio.functional.resample(first, own_hz, rate_hz)[0].numpy()


def of_fadtk(path, rate_hz):
    """microsoft/fadtk fad.py:149-160 and model_loader.py:64: a file of 16 bits in between. kadtk does the same."""
    import torchaudio

    samples, own_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = torch.from_numpy(samples.T.copy()).mean(0)
    resampler = torchaudio.transforms.Resample(
        own_hz,
        rate_hz,
        lowpass_filter_width=64,
        rolloff=0.9475937167399596,
        resampling_method="sinc_interp_kaiser",
        beta=14.769656459379492,
    )
    between = path.with_suffix(".16.wav")
    soundfile.write(between, resampler(mono).numpy(), rate_hz, subtype="PCM_16")
    return soundfile.read(between, dtype="int16")[0] / 32768.0


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 32000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("toolkit", ["audioldm_eval", "fadtk"])
@pytest.mark.parametrize("encoder", ["panns_16k", "vggish"])
def test_other_toolkits_take_the_whole_file(ten_seconds, tmp_path, rate_hz, channels, toolkit, encoder):
    path = wav(tmp_path / f"{CLIP}.wav", rate_hz, channels)
    protocol = registry.load("protocols", toolkit)
    card = registry.load("encoders", encoder)
    found = given(ten_seconds, path, protocol, encoder)
    wanted = {"audioldm_eval": of_audioldm_eval, "fadtk": of_fadtk}[toolkit](path, card.rate_hz)
    assert len(found) == len(wanted) == 10 * card.rate_hz
    if toolkit == "audioldm_eval":
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    else:  # a difference of 1e-8 before rounding is a step of 16 bits where it crosses one
        steps = np.abs(np.rint(32768 * found.astype(np.float64)) - np.rint(32768 * wanted))
        assert steps.max() <= 1
        assert steps.mean() < 1e-4


def test_the_cut_is_part_of_the_key(ten_seconds, tmp_path):
    """P5: features of the whole audio are not taken for those of its first 8 s."""
    path = wav(tmp_path / f"{CLIP}.wav", 16000, 1)
    item, _ = load_clip(ten_seconds, ClipToScore(CLIP, path, None), AVBENCH, {})
    card = registry.load("encoders", "loudness")
    keys = set()
    for duration_s in (8.0, 9.0, DURATION_S):
        material = type(item.material)(**{**vars(item.material), "duration_s": duration_s})
        keys.add(_Chunk([material], AVBENCH.frontend, {"loudness": WHOLE}).key(0, "loudness", card, "generated"))
    assert len(keys) == 3
