"""Transforms have the bits of SciPy 1.17, with which the published corpus was rendered, whatever SciPy is installed."""

import hashlib
import platform

import numpy as np
import pytest
import scipy
import scipy.fft

from foleybench.synthesis.passes import factors, passes
from foleybench.synthesis.spectrum import fast_length, forward, frequencies, inverse

SMOOTH = sorted({2**a * 3**b * 5**c for a in range(12) for b in range(7) for c in range(5)})
# Of the rooms and noises of clips of 2, 4 and 10 s at 16 kHz, and of one of 8 s at 48 kHz.
RENDERED = [3750, 5400, 21870, 24000, 32000, 36450, 39366, 64000, 67500, 69120, 69984, 72000, 160000, 164025, 409600]
# SHA-256 of both transforms of made numbers, first made beside SciPy 1.17.1 by the comparison below.
HASHES = {
    1: "77c1a571aad912ef",
    2: "1c05f4d7fde11172",
    3: "e98cfef1f1a5c47e",
    4: "75fce4f47caab646",
    5: "6c7f00b0901ada74",
    6: "0c5053ee5761bae3",
    30: "758ee3a24caf0803",
    64: "f20bb722bccb5061",
    81: "bd24c5be0080d0c8",
    625: "0fa7e3f3b74e75b5",
    2048: "8a60c06b5244b511",
    3750: "b4fe28167f9dc1a3",
    21870: "39afd81471375fae",
    36450: "7701c0cd76925ae1",
    39366: "68f9f49e21c4b522",
    64000: "b46144b271070176",
    67500: "259fdc47f9370ee3",
    72000: "1b04b6367e8ae819",
    409600: "8bb92fed749b6caa",
}
on_old_scipy = pytest.mark.skipif(
    tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 18) or platform.machine() != "x86_64",
    reason="SciPy from 1.18 on, and on other processors, has other bits; the hashes hold those of SciPy 1.17",
)


def made(size):
    """Return samples and a spectrum of whole numbers over a power of two, which no other version can draw otherwise."""
    k = np.arange(size, dtype=np.int64)
    samples = ((k * k * 7919 + 104729 * k) % 20011 - 10005).astype(np.float32) / np.float32(4096)
    bins = size // 2 + 1
    spectrum = np.empty(bins, dtype=np.complex64)
    spectrum.real, spectrum.imag = samples[:bins], samples[-bins:]
    return samples, spectrum


def bits(array):
    return np.ascontiguousarray(array).view(np.uint32).tolist()


def digest(size):
    samples, spectrum = made(size)
    whole = forward(samples, size).tobytes() + inverse(spectrum, size).tobytes()
    return hashlib.sha256(whole).hexdigest()[:16]


@on_old_scipy
@pytest.mark.parametrize("sizes", [[n for n in SMOOTH if n <= 2048], RENDERED], ids=["small", "rendered"])
def test_transforms_have_the_bits_of_scipy(sizes):
    for size in sizes:
        samples, spectrum = made(size)
        short = samples[: -(-2 * size // 3)]
        assert bits(forward(samples, size)) == bits(scipy.fft.rfft(samples)), size
        assert bits(forward(short, size)) == bits(scipy.fft.rfft(short, size)), size
        assert bits(inverse(spectrum, size)) == bits(scipy.fft.irfft(spectrum, size)), size


@pytest.mark.parametrize("size", HASHES)
def test_transforms_have_the_bits_of_the_published_corpus(size):
    assert digest(size) == HASHES[size]


@pytest.mark.parametrize("size", [1, 2, 3, 60, 1000, 3125])
def test_transforms_are_right(size):
    samples, _ = made(size)
    found = forward(samples, size)
    assert found.dtype == np.complex64
    assert found.shape == (size // 2 + 1,)
    np.testing.assert_allclose(found, np.fft.rfft(samples.astype(np.float64)), rtol=1e-5, atol=1e-5 * size)
    back = inverse(found, size)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, samples, atol=3e-6)


def test_a_spectrum_is_neither_changed_nor_read_where_it_is_no_part_of_real_samples():
    samples, spectrum = made(240)
    spectrum.imag[[0, -1]] = 0.0
    before = inverse(spectrum, 240)
    spectrum.imag[[0, -1]] = 5.0, 7.0
    kept = spectrum.copy()
    assert bits(inverse(spectrum, 240)) == bits(before)
    assert bits(spectrum) == bits(kept)
    forward(samples, 240)
    assert bits(samples) == bits(made(240)[0])


def test_fast_lengths():
    smooth = np.array(SMOOTH)
    for n in range(1, 2049):
        assert fast_length(n) == smooth[np.searchsorted(smooth, n)]
    assert fast_length(66401) == 67500


@pytest.mark.parametrize("size", [0, -4, 7, 22])
def test_other_lengths_are_refused(size):
    with pytest.raises(ValueError, match=rf"got {size}"):
        passes(size)


def test_what_does_not_fit_a_length_is_refused():
    samples, spectrum = made(12)
    with pytest.raises(ValueError, match="length 12 takes at most 12 samples, got 13"):
        forward(made(13)[0], 12)
    for n_bins in (6, 8):
        with pytest.raises(ValueError, match=f"12 samples has 7 bins, got {n_bins}"):
            inverse(made(20)[1][:n_bins], 12)
    for size in (0, -4, 7):
        with pytest.raises(ValueError, match=f"lengths .* got {size}: take"):
            forward(samples[:1], size)
        with pytest.raises(ValueError, match=f"lengths .* got {size}: take"):
            inverse(spectrum[:1], size)
    for n_samples in (0, -1):
        with pytest.raises(ValueError, match=f"at least 1 sample, got {n_samples}"):
            fast_length(n_samples)


def test_factors_are_in_the_order_of_the_passes():
    assert factors(1) == []
    assert factors(2 * 4 * 4 * 3 * 3 * 5) == [2, 4, 4, 3, 3, 5]


def test_frequencies():
    np.testing.assert_allclose(frequencies(5, 10), [0.0, 2.0, 4.0])
    assert frequencies(6, 10).dtype == np.float32
