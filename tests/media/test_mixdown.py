"""Channels as one: the mean keeps what they share, and what it loses is noticed."""

import numpy as np
import pytest

from foleybench.errors import MediaError
from foleybench.media.mixdown import Mixdown, mean, require_plausible, without_lfe


def noise(n_channels: int, n: int = 20000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (n_channels, n)).astype(np.float32)


def mixed(channels: np.ndarray) -> Mixdown:
    """Mix in parts of uneven length, as decoders give them out."""
    found = Mixdown()
    for start in range(0, channels.shape[1], 1024):
        found.add(channels[:, start : start + 1024])
    return found


@pytest.mark.parametrize(
    ("right", "loss_db"),
    [(1.0, 0.0), (0.5, -0.46), (0.0, -3.01), (-0.2, -5.12), (-0.3, -6.48), (-0.9, -25.6), (-1.0, -120.0)],
)
def test_loss_of_a_scaled_copy(right: float, loss_db: float):
    """(1 + r)^2 / 4 over (1 + r^2) / 2, by hand."""
    left = noise(1)[0]
    found = mixed(np.stack([left, np.float32(right) * left]))
    assert found.loss_db == pytest.approx(loss_db, abs=0.02)
    assert found.cancelled is (loss_db < -6.02)
    assert found.loudest == 0


@pytest.mark.parametrize("n", [2, 5, 7])
def test_independent_channels_do_not_cancel(n: int):
    found = mixed(noise(n))
    assert found.loss_db == pytest.approx(-10 * np.log10(n), abs=0.3)
    assert not found.cancelled


def test_silence_and_one_channel_lose_nothing():
    assert mixed(np.zeros((2, 4000), dtype=np.float32)).loss_db is None
    assert mixed(noise(1)).loss_db is None
    assert not mixed(np.zeros((2, 4000), dtype=np.float32)).cancelled


def test_the_mean_is_that_of_numpy():
    channels = noise(6)
    np.testing.assert_allclose(mean(channels), channels.mean(axis=0), atol=1e-7)
    assert mean(channels[:1]) is not channels
    np.testing.assert_array_equal(mean(channels[:1]), channels[0])


def test_the_subwoofer_of_what_has_no_names():
    assert without_lfe(2) == [0, 1]
    assert without_lfe(5) == [0, 1, 2, 3, 4]
    assert without_lfe(6) == [0, 1, 2, 4, 5]
    assert without_lfe(8) == [0, 1, 2, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("value", "status"),
    [(np.nan, "not_finite"), (-np.inf, "not_finite"), (101.0, "out_of_range"), (-1e38, "out_of_range")],
)
def test_what_no_sound_has(value: float, status: str):
    values = np.zeros((2, 10), dtype=np.float32)
    values[1, 3] = value
    with pytest.raises(MediaError) as caught:
        require_plausible(values)
    assert caught.value.status == status
    values[1, 3] = 100.0
    require_plausible(values)
    require_plausible(np.zeros((2, 0), dtype=np.float32))
