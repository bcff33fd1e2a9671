"""Parts of the evaluators' training: what is made of clips, and what the class net learns from it."""

import numpy as np
import pytest
import torch

from foleybench.clips import Clock
from foleybench.encoders._nets.mini_nets import FRAME_HZ, GRID, RANGE_DB, audio_input
from foleybench.evaluators.mini import fit_align, fit_class
from foleybench.evaluators.mini.material import TrainingMaterial
from foleybench.evaluators.mini.no_source import without_sources


def test_what_has_no_source_is_steady():
    made = without_sources(10, 100, np.random.default_rng(0))
    assert made.shape == (10, GRID.n_bands, 100)
    assert (made[[0, 5]] == -1.0).all(), "silence is every fifth"
    loud = [one for one in made if one.max() == 0.0]
    assert len(loud) >= 6
    for one in loud:
        power = 10 ** (one.astype(np.float64) * RANGE_DB / 10)
        fifths_db = 10 * np.log10(power.mean(axis=0).reshape(5, 20).mean(axis=1))
        assert np.ptp(fifths_db) < 10.0, "no event in it"


def test_mixing_adds_powers_and_names():
    """-3 dB and -3 dB of one band are 0 dB; the louder of two bands stays alone."""
    half = -10 * np.log10(2) / RANGE_DB
    one, two = np.full((2, 64, 4), -1.0, dtype=np.float32)
    one[3], two[3], two[9] = half, half, half
    sounding = np.array([[True, False, True], [False, True, False]])
    always = Draws(random=0.0, uniform=0.0)
    sound, together = fit_class._mixed(np.stack([one, two]), sounding, 2, always)
    assert together.tolist() == [[True, True, True], [True, True, True]]
    for mixed in sound:
        assert mixed[3] == pytest.approx(0.0, abs=1e-5)
        assert mixed[9] == pytest.approx(half, abs=1e-5)
        assert mixed[20] == pytest.approx(-1.0)


def test_no_mixture_has_more_sources_than_a_clip():
    sounding = np.array([[True, True], [True, True]])
    sound = np.zeros((2, 64, 4), dtype=np.float32)
    found, together = fit_class._mixed(sound, sounding, 2, Draws(random=0.0, uniform=0.0))
    assert found is sound
    assert together is sounding


class Draws:
    """A generator that always draws the same."""

    def __init__(self, *, random=0.0, uniform=0.0):
        self.fixed = {"random": random, "uniform": uniform}

    def random(self, size=()):
        return np.full(size, self.fixed["random"])

    def uniform(self, low=0.0, high=1.0, size=()):
        return np.clip(np.full(size, self.fixed["uniform"]), low, high)


@pytest.mark.parametrize("rate_hz", [12.5, 20.0, 24.0])
def test_fewer_frames_a_second_are_shown_as_a_video_of_that_rate_shows_them(rate_hz):
    """Of the frames at 25 a second those nearest to the times of the frames that a slower video has."""
    shown = fit_align.at_other_rate(100, Rates(rate_hz))
    times_s = np.arange(int(4.0 * rate_hz)) / rate_hz
    on_screen = Clock.nearest(times_s, (np.arange(100) + 0.5) / FRAME_HZ)
    assert np.abs(shown - times_s[on_screen] * FRAME_HZ).max() <= 0.5 + 1e-9
    assert len(set(shown.tolist())) == len(times_s)


class Rates:
    """Draws: another rate, this one, from phase 0."""

    def __init__(self, rate_hz):
        self.rate_hz = rate_hz

    def random(self):
        return 0.9

    def uniform(self, low=0.0, high=1.0):
        return self.rate_hz if high == FRAME_HZ else 0.0


def toy(n=40):
    """Two classes, a low and a high band; two materials, a long and a short sound; both classes at times."""
    rng = np.random.default_rng(3)
    sounding, materials = rng.random((n, 2)) < 0.5, np.zeros((n, 2), dtype=bool)
    sounding[:, 0] |= ~sounding.any(axis=1)
    sounds = np.full((n, 3, GRID.n_bands, 64), -1.0, dtype=np.float16)
    for number in range(n):
        materials[number, number % 2] = True
        for band in np.flatnonzero(sounding[number]):
            first = int(rng.integers(8, 40))
            sounds[number, :, 12 + 30 * band : 20 + 30 * band, first : first + (20, 4)[number % 2]] = 0.0
    return TrainingMaterial(
        sounds=sounds,
        pictures=np.zeros((n, 16, 3, 48, 48), dtype=np.uint8),
        labels=sounding.argmax(axis=1),
        sounding=sounding,
        sounding_materials=materials,
        has_onsets=np.ones(n, dtype=bool),
        classes=("high", "low"),
        materials=("long", "short"),
        seconds=0.64,
    )


@pytest.fixture(scope="module")
def fitted():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return fit_class.fit_mini_class(toy(), steps=150, rng=np.random.default_rng(1))


@pytest.mark.slow
def test_several_classes_and_materials_are_learnt(fitted):
    measured = fit_class.measure_mini_class(fitted, toy())
    assert measured["class_f1_clean"] >= 0.95
    assert measured["class_accuracy_rough"] >= 0.95
    assert measured["material_accuracy_clean"] >= 0.9


@pytest.mark.slow
def test_nothing_is_heard_in_silence_and_noise(fitted):
    rng = np.random.default_rng(9)
    nothing = np.stack([audio_input(np.zeros(10240, np.float32)), audio_input(np.float32(rng.normal(0, 0.1, 10240)))])
    with torch.inference_mode():
        logits, materials, _ = fitted(torch.from_numpy(nothing))
    assert float(torch.cat([logits, materials], dim=1).max()) < -6.0
