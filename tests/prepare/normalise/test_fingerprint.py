"""A copy keeps its fingerprint, and other content has another."""

import functools

import numpy as np
import pytest

from foleybench.prepare.normalise.fingerprint import (
    N_BITS,
    PARTS,
    audio_fingerprint,
    bit_difference,
    decode_fingerprint,
    part_levels,
    video_fingerprint,
)

RATE_HZ = 16000


def sound(seed: int, seconds: float = 8.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Return bursts of noise and tones at random times, the same for every rate."""
    return _sound(seed, seconds, rate_hz).copy()


@functools.cache
def _sound(seed: int, seconds: float, rate_hz: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    audio = np.zeros(len(t))
    for start, hz, decay in rng.uniform((0, 150, 1), (seconds, 3000, 9), (25, 3)):
        since = np.maximum(0.0, t - start)
        audio += (t >= start) * np.exp(-decay * since) * np.sin(2 * np.pi * hz * since)
    return (audio / np.abs(audio).max() * 0.8).astype(np.float32)


def test_a_quieter_noisier_slower_sampled_or_late_copy_keeps_its_print():
    fingerprint = audio_fingerprint(sound(1), RATE_HZ)
    assert fingerprint is not None
    noise = np.random.default_rng(0).normal(0, 1e-3, 8 * RATE_HZ).astype(np.float32)
    assert bit_difference(fingerprint, audio_fingerprint(0.1 * sound(1) + 0.1 * noise, RATE_HZ)) < 0.05
    assert bit_difference(fingerprint, audio_fingerprint(sound(1, rate_hz=44100), 44100)) < 0.05
    assert bit_difference(fingerprint, audio_fingerprint(sound(1, rate_hz=8000), 8000)) < 0.05
    late = np.concatenate([np.zeros(640, dtype=np.float32), sound(1)])[: 8 * RATE_HZ]
    assert bit_difference(fingerprint, audio_fingerprint(late, RATE_HZ)) < 0.15


def test_other_sounds_have_other_prints():
    fingerprints = [audio_fingerprint(sound(seed), RATE_HZ) for seed in range(12)]
    apart = [bit_difference(a, b) for k, a in enumerate(fingerprints) for b in fingerprints[:k]]
    assert min(apart) > 0.25
    assert 0.4 < np.mean(apart) < 0.6


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros(8 * RATE_HZ, dtype=np.float32),
        np.zeros(0, dtype=np.float32),
        np.sin(2 * np.pi * 440 * np.arange(8 * RATE_HZ) / RATE_HZ).astype(np.float32),
        sound(1)[:4000],
    ],
    ids=["silence", "nothing", "a steady tone", "a quarter of a second"],
)
def test_what_has_no_features_has_no_print(audio: np.ndarray):
    assert audio_fingerprint(audio, RATE_HZ) is None


def looks(seed: int, n: int = 50, height: int = 64, width: int = 96) -> list[np.ndarray]:
    """Return frames of soft patches, one of which wanders."""
    rng = np.random.default_rng(seed)
    patches = rng.uniform(0, 220, (4, 6))
    frames = []
    for k in range(n):
        moved = patches.copy()
        moved[int(4 * k / n), seed % 6] += 35
        frames.append(part_levels(np.kron(moved, np.ones((height // 4, width // 6)))))
    return frames


def test_a_scaled_paler_copy_keeps_its_picture_print():
    fingerprint = video_fingerprint(looks(1))
    assert bit_difference(fingerprint, video_fingerprint(looks(1, height=32, width=48))) < 0.02
    assert bit_difference(fingerprint, video_fingerprint(looks(1, n=25))) < 0.03
    assert bit_difference(fingerprint, video_fingerprint([0.7 * look + 20 for look in looks(1)])) < 0.02
    assert bit_difference(fingerprint, video_fingerprint(looks(2))) > 0.25


def test_a_plain_picture_has_no_print():
    assert video_fingerprint([]) is None
    assert video_fingerprint([np.full((PARTS, PARTS), 80.0)] * 20) is None


def test_parts_are_means_at_any_size():
    assert part_levels(np.arange(64).reshape(8, 8)).tolist() == np.arange(64.0).reshape(8, 8).tolist()
    assert part_levels(np.full((4, 4), 7)).tolist() == np.full((PARTS, PARTS), 7.0).tolist()
    assert part_levels(np.full((1, 1), 7)).shape == (PARTS, PARTS)
    big = np.zeros((80, 88))
    big[10:20, 11:22] = 200
    expected = np.zeros((8, 8))
    expected[1, 1] = 200
    assert part_levels(big).tolist() == expected.tolist()


def test_prints_are_the_same_for_ever():
    # A change of these bits needs a new version of every data set that stores fingerprints.
    ramp = np.linspace(0.1, 1.0, 4 * RATE_HZ) * np.sin(2 * np.pi * 500 * np.arange(4 * RATE_HZ) / RATE_HZ)
    assert audio_fingerprint(ramp.astype(np.float32), RATE_HZ) == "rg1E55IVtgtJwsj7Bxn6CrDTNZlmebn6cUdjRk4RC7A="
    assert video_fingerprint([np.arange(64.0).reshape(8, 8)] * 8) == "5Ry6z1Xy42xdn+/DwDWhUrr/sEkbwcbtob7oTmcc5AU="


def test_only_prints_are_decoded():
    fingerprint = audio_fingerprint(sound(1), RATE_HZ)
    assert decode_fingerprint(fingerprint).shape == (N_BITS // 8,)
    for bad in ("", "AAAA", "not base 64", fingerprint[:-4]):
        with pytest.raises(ValueError):  # noqa: PT011 - base64 and we say different things
            decode_fingerprint(bad)
