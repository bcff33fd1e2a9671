"""Normal numbers are NumPy's with the C library that the published corpus was rendered with, whatever is installed."""

import hashlib
import platform

import numpy as np
import pytest

from foleybench.synthesis import normal as normal_numbers
from foleybench.synthesis.normal import log1p, normal

# Draws of the generator of that seed in which NumPy has another last bit with glibc 2.41 than before it.
TAIL = {
    (5, 18974): 3.7283356,
    (13, 36642): 3.9180381,
    (54, 4711): 4.298494,
    (54, 13354): 3.8001184,
    (77, 19182): -3.746176,
    (86, 19932): -3.804638,
}
# SHA-256 of the logarithms of numbers all over the range, the same from glibc 2.36.
LOGARITHMS = "c558fa0bed0be26a"


def generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def older_glibc():
    name, version = platform.libc_ver()
    return name == "glibc" and tuple(map(int, version.split("."))) < (2, 41)


def test_the_tail_is_that_of_the_published_corpus():
    for (seed, at), value in TAIL.items():
        assert normal(generator(seed), (at + 1,))[at] == np.float32(value)


@pytest.mark.skipif(
    not older_glibc(), reason="NumPy has other last bits with glibc 2.41; those above are the older ones"
)
def test_numbers_are_those_of_numpy():
    rng, other = generator(3), generator(3)
    for seen in range(4):  # the second draw begins with half of a word of the generator
        found = normal(rng, (3, 30001, 1))
        np.testing.assert_array_equal(found, other.standard_normal((3, 30001, 1), dtype=np.float32), err_msg=str(seen))
    assert rng.random() == other.random()


def test_numbers_are_numpys_to_the_last_bit_but_one():
    found, expected = normal(generator(4), (200, 500)), generator(4).standard_normal((200, 500), dtype=np.float32)
    assert found.dtype == np.float32
    np.testing.assert_array_max_ulp(found, expected, maxulp=1)
    assert normal(generator(4), (0,)).shape == (0,)


def one_by_one(rng, n):
    """Draw each number of NumPy's, and those of the tail again by the logarithm of ours."""
    found = np.empty(n, dtype=np.float32)
    for k in range(n):
        state = rng.bit_generator.state
        found[k] = rng.standard_normal(dtype=np.float32)
        if abs(found[k]) > normal_numbers._TAIL:
            rng.bit_generator.state = state
            found[k] = np.copysign(normal_numbers._from_tail(rng), found[k])
    return found


@pytest.mark.parametrize("seed", [3, 13])
def test_where_numpy_keeps_other_numbers_of_the_tail_ours_go_on(monkeypatch, seed):
    """No C library near this one does that, so the logarithm is that of another base: more is drawn again."""
    monkeypatch.setattr(normal_numbers, "log1p", lambda x: np.float32(16) * log1p(x))
    rng, other, numpys = generator(seed), generator(seed), generator(seed)
    found = normal(rng, (2, 12001))
    np.testing.assert_array_equal(found.ravel(), one_by_one(other, 24002))
    assert rng.bit_generator.state == other.bit_generator.state
    numpys.standard_normal(24002, dtype=np.float32)
    assert rng.bit_generator.state != numpys.bit_generator.state


def test_numbers_are_drawn_once_where_numpy_keeps_the_same(monkeypatch):
    monkeypatch.delattr(normal_numbers, "_fill")
    assert normal(generator(3), (30001,)).shape == (30001,)


def test_logarithms():
    numbers = sorted(
        {*range(0, 2**24, 4099), *range(9), *(2**24 - 2**n + d for n in range(4, 24) for d in range(-4, 5))}
    )
    numbers += range(2**24 - 4, 2**24)
    x = [np.float32(-k / 2**24) for k in numbers]
    found = np.array([log1p(value) for value in x])
    assert found.dtype == np.float32
    np.testing.assert_array_max_ulp(found, np.log1p(np.array(x, dtype=np.float64)).astype(np.float32), maxulp=1)
    assert hashlib.sha256(found.tobytes()).hexdigest()[:16] == LOGARITHMS
