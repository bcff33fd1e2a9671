"""The steps in which toolkits differ, each against the library that takes it."""

import io

import numpy as np
import pytest
import soundfile

from foleybench.api.protocol import Frontend
from foleybench.errors import FoleyError
from foleybench.features.frontend import apply as apply_frontend
from foleybench.media.audio import read_sound
from foleybench.media.hear import hear
from foleybench.media.resample import resample_as

METHODS = ("torchaudio", "torchaudio_float32", "kaiser_best", "resampy", "soxr_hq", "julius")
RATES = [(44100, 16000), (48000, 32000), (16000, 32000), (22050, 16000)]


def sound(n=20000, seed=0, rate_hz=None, low=True):
    """Noise; below the filters' edge when a rate is given."""
    noise = np.random.default_rng(seed).standard_normal(n)
    if low:
        spectrum = np.fft.rfft(noise)
        spectrum[n // 6 :] = 0
        noise = np.fft.irfft(spectrum, n)
    return np.float32(0.2 * noise)


def middle(audio, margin=400):
    return audio[margin:-margin]


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("low", [True, False])
def test_julius_is_julius(from_hz, to_hz, low):
    julius = pytest.importorskip("julius")
    import torch

    audio = sound(low=low) + np.float32(0.3)
    wanted = julius.resample_frac(torch.from_numpy(audio), from_hz, to_hz).numpy()
    found = resample_as("julius", audio, from_hz, to_hz)
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found, wanted, atol=2e-5)  # julius computes its filters in float32


@pytest.mark.slow
@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_soxr_is_what_librosa_calls(from_hz, to_hz):
    librosa = pytest.importorskip("librosa")
    audio = sound()
    wanted = librosa.resample(audio, orig_sr=from_hz, target_sr=to_hz)
    found = resample_as("soxr_hq", audio, from_hz, to_hz)
    assert abs(len(found) - len(wanted)) <= 1
    n = min(len(found), len(wanted))
    np.testing.assert_allclose(found[:n], wanted[:n], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize(("precision", "most"), [(9, 5e-3), (12, 1e-3)])
def test_kaiser_best_is_resampy_of_its_time(from_hz, to_hz, precision, most):
    """resampy reads a table of the filter where torchaudio computes it; with its own 2^9 entries it is 0.3 % off."""
    resampy = pytest.importorskip("resampy")
    from scipy.signal.windows import kaiser

    audio = sound()
    wanted = resampy.resample(
        audio.astype(float),
        from_hz,
        to_hz,
        filter="sinc_window",
        num_zeros=64,
        precision=precision,
        rolloff=0.9475937167399596,
        window=lambda n: kaiser(n, 14.769656459379492),
    )
    found = resample_as("kaiser_best", audio, from_hz, to_hz)
    n = min(len(found), len(wanted))
    gap = middle(found[:n]) - middle(wanted[:n])
    assert np.sqrt(np.mean(gap**2)) < most * np.sqrt(np.mean(wanted**2))


def test_torchaudio_is_torchaudio():
    import torch
    import torchaudio

    audio = sound()
    wanted = torchaudio.transforms.Resample(44100, 16000)(torch.from_numpy(audio)).numpy()
    found = resample_as("torchaudio", audio, 44100, 16000)
    np.testing.assert_array_equal(found, wanted[: len(found)])
    wanted = torchaudio.functional.resample(torch.from_numpy(audio), 44100, 16000).numpy()
    np.testing.assert_array_equal(resample_as("torchaudio_float32", audio, 44100, 16000), wanted)
    np.testing.assert_allclose(found, wanted[: len(found)], atol=2e-6)  # the function's filter is float32


@pytest.mark.parametrize("method", METHODS)
def test_every_resampler_keeps_a_tone(method):
    from_hz, to_hz = 44100, 16000
    tone = np.float32(0.5 * np.sin(2 * np.pi * 1000 * np.arange(from_hz) / from_hz))
    found = resample_as(method, tone, from_hz, to_hz)
    wanted = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(found)) / to_hz)
    np.testing.assert_allclose(middle(found), middle(wanted), atol=2e-3 if method == "resampy" else 1e-3)
    assert found.dtype == np.float32
    assert len(resample_as(method, tone[:0], from_hz, to_hz)) == 0


def test_equal_rates_change_nothing():
    audio = sound()
    for method in METHODS:
        assert resample_as(method, audio, 16000, 16000) is audio


def test_sixteen_bits_are_those_of_libsndfile():
    audio = np.float32(np.random.default_rng(0).uniform(-1.1, 1.1, 50000))
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, 16000, format="WAV", subtype="PCM_16")
    buffer.seek(0)
    wanted = soundfile.read(buffer, dtype="int16")[0] / 32768
    np.testing.assert_array_equal(apply_frontend(Frontend(int16=True), audio, 16000, 16000), np.float32(wanted))


@pytest.mark.parametrize("size", [1e-27, 6e-27, 1e-10, 2.3e-10, 2.4e-10, 1e-7, 2.0**-17, 2.0**-16, 0.99999, 1.0, 1.5])
def test_sixteen_bits_near_zero_and_at_the_ends(size):
    """P4: -6e-27 became -1 of 32768; libsndfile rounds to 32 bits first, and half a step of those is 2.3e-10."""
    rng = np.random.default_rng(0)
    audio = np.float32(np.concatenate([[-size, size, 0.0], size * rng.standard_normal(20000)]))
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, 16000, format="WAV", subtype="PCM_16")
    buffer.seek(0)
    wanted = np.float32(soundfile.read(buffer, dtype="int16")[0] / 32768)
    np.testing.assert_array_equal(apply_frontend(Frontend(int16=True), audio, 16000, 16000), wanted)


@pytest.mark.parametrize("steps", [Frontend(channels="first"), Frontend(own={"b": Frontend()})])
def test_what_an_encoders_own_steps_cannot_say_is_refused(steps):
    with pytest.raises(FoleyError, match="front end of a"):
        Frontend(own={"a": steps})


def test_silence_stays_silence():
    silent = np.zeros(100, dtype=np.float32)
    everything = Frontend(remove_mean=True, resampler="soxr_hq", int16=True)
    assert not apply_frontend(everything, silent, 44100, 16000).any()


def test_the_mean_goes_before_resampling():
    found = apply_frontend(Frontend(remove_mean=True), np.full(1000, 0.25, dtype=np.float32), 44100, 16000)
    np.testing.assert_allclose(found, 0.0, atol=1e-7)


def test_names_tell_frontends_apart():
    frontends = [
        Frontend(),
        Frontend(remove_mean=True),
        Frontend(resampler="julius"),
        Frontend(resampler="soxr_hq"),
        Frontend(int16=True),
        Frontend(remove_mean=True, int16=True),
    ]
    assert len({frontend.name for frontend in frontends}) == len(frontends)
    assert Frontend(channels="first").name == Frontend().name == "plain"


def test_first_channel_or_mean(tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, np.array([[0.5, 0.0], [0.25, 0.75]]), 8000, subtype="FLOAT")
    np.testing.assert_allclose(read_sound(path, "first")[0], [0.5, 0.25])
    np.testing.assert_allclose(hear(path)[0], [0.25, 0.5])


def test_first_channel_of_a_container(tmp_path):
    import av

    path = tmp_path / "x.mka"
    stereo = np.stack([np.full(4096, 0.5), np.full(4096, 0.25)]).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=16000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(stereo.T.reshape(1, -1).copy(), format="flt", layout="stereo")
        frame.rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    assert hear(path.rename(tmp_path / "x.mkv"), "first")[0][100] == pytest.approx(0.5)
    assert hear(tmp_path / "x.mkv")[0][100] == pytest.approx(0.375)
