"""The onset detector of the papers."""

import numpy as np
import pytest

from foleybench.api.encoder import Signal
from foleybench.encoders import onsets_librosa, onsets_librosa_defaults
from foleybench.encoders._inputs.librosa_onsets import RATE_HZ, detect_as_librosa, onset_strength
from foleybench.encoders.onsets_librosa import DELTA, ENCODER


def bursts(times_s, duration_s=2.0, seed=0, noise=1e-4):
    """Decaying tones at the given times, in a little noise."""
    rng = np.random.default_rng(seed)
    audio = noise * rng.standard_normal(round(duration_s * RATE_HZ))
    for time_s in times_s:
        start = round(time_s * RATE_HZ)
        t = np.arange(len(audio) - start) / RATE_HZ
        audio[start:] += 0.5 * np.sin(2 * np.pi * 800 * t) * np.exp(-t / 0.05)
    return np.float32(audio)


def random_sound(seed):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 4, rng.integers(1, 9)))
    return bursts(times, 4.0, seed, noise=10 ** rng.uniform(-5, -1))


@pytest.mark.parametrize(
    ("seed", "frames", "mean", "highest"),
    [
        (0, [4, 8, 47, 105, 127, 141, 158], 1.58467, (4, 17.60104)),
        (3, [17, 29, 42, 76, 84, 101, 139], 1.19027, (42, 8.96724)),
        (7, [40, 53, 134, 143, 151, 156], 1.54037, (40, 19.07400)),
    ],
)
def test_onsets_on_record_are_those_of_librosa(seed, frames, mean, highest):
    """What librosa 0.11.0 gave for the same audio; importing it takes seconds, compiling it a quarter of a minute."""
    audio = random_sound(seed)
    assert detect_as_librosa(audio, DELTA).tolist() == [512 * frame for frame in frames]
    strength = onset_strength(audio)
    assert len(strength) == 173
    assert strength.mean() == pytest.approx(mean, abs=1e-3)
    assert (int(strength.argmax()), strength.max()) == (highest[0], pytest.approx(highest[1], abs=1e-3))


@pytest.mark.parametrize(
    ("seed", "frames"),
    [
        (0, [3, 8, 47, 105, 126, 141, 158]),
        (3, [3, 17, 28, 42, 75, 83, 101, 139]),
        (7, [3, 39, 52, 134, 139, 142, 151, 156]),
    ],
)
def test_onsets_of_the_defaults_on_record_are_those_of_librosa(seed, frames):
    encode = onsets_librosa_defaults.ENCODER.build("cpu")
    found = encode([Signal(audio=random_sound(seed), duration_s=4.0)])[0]["times_s"]
    assert found.tolist() == [512 * frame / RATE_HZ for frame in frames]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_onsets_are_those_of_librosa(seed):
    librosa = pytest.importorskip("librosa")
    audio = random_sound(seed)
    defaults = librosa.onset.onset_detect(y=audio, sr=RATE_HZ, units="samples")
    np.testing.assert_array_equal(detect_as_librosa(audio, onsets_librosa_defaults.DELTA), defaults)
    wanted = librosa.onset.onset_detect(y=audio, sr=RATE_HZ, units="samples", delta=0.3)
    np.testing.assert_array_equal(detect_as_librosa(audio, DELTA), wanted)
    strength = librosa.onset.onset_strength(y=audio, sr=RATE_HZ)
    np.testing.assert_allclose(onset_strength(audio), strength, atol=2e-3)


def test_onsets_stand_where_the_bursts_are():
    found = detect_as_librosa(bursts([0.5, 1.0, 1.5]), DELTA) / RATE_HZ
    np.testing.assert_allclose(found, [0.5, 1.0, 1.5], atol=0.03)


def features(audio):
    return ENCODER.build("cpu")([Signal(audio=np.float32(audio), duration_s=len(audio) / RATE_HZ)])[0]


@pytest.mark.parametrize("audio", [np.zeros(RATE_HZ), np.zeros(1), np.zeros(0)])
def test_silence_has_no_onset(audio):
    assert all(len(features(audio)[layer]) == 0 for layer in ENCODER.layers)


def test_onsets_near_the_ends_are_read_off_what_there_is(monkeypatch):
    """The detector itself finds none before 70 ms; the peers' functions fail on one before 50 ms."""
    monkeypatch.setattr(onsets_librosa, "detect_as_librosa", lambda audio, delta: np.array([441, len(audio) - 5]))
    found = features(bursts([0.02, 1.0]))
    assert found["peak"][0] == pytest.approx(1.0, abs=0.02)
    assert found["peak"][1] < 0.01
    assert (found["peak"] >= found["level"]).all()
    assert (found["wave_peak"] >= found["wave"]).all()


def test_gain_changes_nothing():
    audio = bursts([0.5, 1.2], noise=1e-2)
    one, other = features(audio), features(0.25 * audio)
    for layer in ENCODER.layers:
        np.testing.assert_allclose(one[layer], other[layer], atol=1e-6)
