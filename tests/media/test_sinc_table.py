"""The resampler from a table: resampy 0.2.2's own output, its loop written out, and a later resampy."""

import numpy as np
import pytest

from foleybench.media.sinc_table import ENTRIES, table_resample

ZEROS, ROLLOFF, BETA = 64, 0.9475937167399596, 14.769656459379492


def sound(n: int, seed: int = 0):
    return (0.2 * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


def half_window():
    from scipy.signal.windows import kaiser

    n = ZEROS * ENTRIES
    return ROLLOFF * np.sinc(ROLLOFF * np.linspace(0, ZEROS, n + 1)) * kaiser(2 * n + 1, BETA)[n:]


def by_the_loop(audio, from_hz, to_hz):
    """Output sample after output sample, tap after tap, the time added up, as resampy 0.2.2 goes."""
    ratio = to_hz / from_hz
    scale, window = min(1.0, ratio), half_window() * min(1.0, ratio)
    step, now, found = int(scale * ENTRIES), 0.0, []
    for _ in range(int(len(audio) * ratio)):
        before, total = int(now), 0.0
        fraction = scale * (now - before)
        for way, phase in ((-1, fraction), (1, scale - fraction)):
            first, rest = int(phase * ENTRIES), phase * ENTRIES - int(phase * ENTRIES)
            for tap in range((len(window) - first) // step):
                at, entry = before + (way > 0) + way * tap, first + tap * step
                if 0 <= at < len(audio):
                    after = window[entry + 1] if entry + 1 < len(window) else window[entry]
                    total += float(audio[at]) * (window[entry] + rest * (after - window[entry]))
        found.append(total)
        now += 1.0 / ratio
    return np.float32(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(44100, 16000), (48000, 16000), (8000, 16000), (22050, 16000), (44101, 16000)]
)
def test_it_is_the_loop(from_hz, to_hz):
    """Ends, times that are whole input samples but for rounding, and rates without a table of phases."""
    audio = sound(1000)
    found = table_resample(audio, from_hz, to_hz)
    wanted = by_the_loop(audio, from_hz, to_hz)
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found, wanted, atol=5e-7)


GOLDEN = {  # samples 0, 1, 100, 160, 320, 640 and the last, and the sum of all sizes, of resampy 0.2.2's kaiser_best
    44100: (0.002100285, 0.056062248, 0.483441085, -0.409518033, 0.024392890, -0.000178919, -0.001145442, 95.7318497),
    22050: (0.000527771, 0.019867729, 0.192381650, 0.087111183, -0.407985181, 0.493242860, 0.170207590, 462.253723),
    8000: (0.000078131, 0.004390075, 0.276492774, -0.409885764, 0.162475571, -0.493136346, -0.247863099, 1272.19629),
}


@pytest.mark.parametrize("from_hz", GOLDEN)
def test_golden_output_of_the_package(from_hz):
    audio = (0.5 * np.sin(np.arange(2000) ** 1.5 / 40)).astype(np.float32)
    found = table_resample(audio, from_hz, 16000)
    assert found[[0, 1, 100, 160, 320, 640, -1]].tolist() == pytest.approx(GOLDEN[from_hz][:-1], abs=1e-6)
    assert float(np.abs(found).sum()) == pytest.approx(GOLDEN[from_hz][-1], rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 16000), (48000, 16000), (8000, 16000), (22050, 16000)])
def test_a_later_resampy_differs_only_where_times_are_whole(from_hz, to_hz):
    """From 0.3 on it multiplies times instead of adding them up, so it takes other wings at whole input samples."""
    resampy = pytest.importorskip("resampy")
    from scipy.signal.windows import kaiser

    audio = sound(3000)
    theirs = resampy.resample(
        audio, from_hz, to_hz, filter="sinc_window", num_zeros=ZEROS, precision=9, rolloff=ROLLOFF,
        window=lambda n: kaiser(n, BETA),
    )  # fmt: skip
    found = table_resample(audio, from_hz, to_hz)
    n = min(len(found), len(theirs))
    away = np.arange(n) % (to_hz // np.gcd(from_hz, to_hz)) != 0
    np.testing.assert_allclose(found[:n][away], theirs[:n][away], atol=1e-6)


def test_a_far_lower_rate_has_a_step_of_the_table_at_least():
    assert len(table_resample(sound(100000), 768000, 1000)) == 130


def test_no_sound_gives_none():
    assert len(table_resample(np.zeros(0, dtype=np.float32), 44100, 16000)) == 0
