import itertools
import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.errors import FoleyError
from foleybench.metrics import (
    level_correlation,
    level_difference,
    logmel_distance,
    mel_profile_distance,
    silence_share,
)
from foleybench.metrics._families.silence import SILENT_DB
from tests.metrics.views import view

EDGE = level_correlation.MARGIN
SILENCE = np.full(30, -80.0)


def score(module, reference, generated):
    stat = module.METRIC.per_clip(view({"reference": reference, "generated": generated}))
    return None if stat is None else module.METRIC.pool([stat])


def between(*levels):
    """Return a curve of these levels with, at either end, as many steps more as are left out there."""
    return np.concatenate([np.full(EDGE, -30.0), levels, np.full(EDGE, -30.0)])


def test_correlation_by_hand():
    # Around their means -2, -1, 0, 1, 2 and -2, 0, -1, 1, 2: products 4 + 0 + 0 + 1 + 4, squares 10 and 10.
    rise, other = between(-22.0, -21, -20, -19, -18), between(-22.0, -20, -21, -19, -18)
    assert score(level_correlation, rise, other) == pytest.approx(0.9)
    assert score(level_correlation, rise, between(-18.0, -19, -20, -21, -22)) == pytest.approx(-1.0)
    assert score(level_correlation, rise, rise) == pytest.approx(1.0)
    assert score(level_correlation, rise, rise + 7.0) == pytest.approx(1.0)


def test_correlation_agrees_with_numpy():
    rng = np.random.default_rng(0)
    one, two = -30.0 + 3.0 * rng.standard_normal((2, 1000))
    inside = slice(EDGE, -EDGE)
    assert score(level_correlation, one, two) == pytest.approx(np.corrcoef(one[inside], two[inside])[0, 1], abs=1e-12)


def test_constant_sound_follows_nothing_and_constant_reference_gives_nothing_to_follow():
    moving = between(*np.linspace(-40.0, -20.0, 9))
    steady, silent = np.full(len(moving), -30.0), np.full(len(moving), -80.0)
    assert score(level_correlation, moving, steady) == 0.0
    assert score(level_correlation, moving, silent) == 0.0
    assert score(level_correlation, steady, moving) is None
    assert score(level_correlation, silent, moving) is None
    assert score(level_correlation, silent, silent) is None
    assert math.isnan(level_correlation.METRIC.pool([]))


def test_silent_is_what_the_silent_share_counts_even_where_it_moves():
    hiss = np.linspace(-79.0, -60.0, 20)
    assert score(silence_share, hiss, hiss) == 0.0
    assert score(silence_share, hiss, hiss + 30.0) == pytest.approx(95.0)  # the last step lies at the limit
    assert score(silence_share, hiss + 0.01, hiss + 30.0) == pytest.approx(95.0)
    assert score(silence_share, hiss - 0.01, hiss + 30.0) == pytest.approx(100.0)
    assert score(level_correlation, hiss, hiss + 30.0) is None
    assert score(level_correlation, hiss + 30.0, hiss) == pytest.approx(1.0)  # no gain changes it above the floor
    assert score(level_correlation, hiss + 0.01, hiss + 0.01) is None  # one step is heard


@pytest.mark.parametrize(
    ("n_between", "defined"), [(level_correlation.FEWEST, True), (level_correlation.FEWEST - 1, False)]
)
def test_a_few_steps_are_too_few(n_between, defined):
    curve = between(*np.linspace(-30.0, -20.0, n_between))
    assert (score(level_correlation, curve, curve) is not None) == defined
    assert score(level_correlation, curve[:0], curve[:0]) is None
    assert score(level_correlation, curve[:1], curve[:1]) is None


def curves(seed):
    """Two curves with silence of their own: now and then inside, at an end of one, or of both."""
    rng = np.random.default_rng(seed)
    pair = -30.0 + 5.0 * rng.standard_normal((2, 60))
    for curve in pair:
        curve[rng.uniform(size=60) < 0.1] = -80.0
        curve[: rng.integers(0, 8)] = curve[60 - rng.integers(0, 8) :] = -80.0
    return pair


@hypothesis.given(
    st.integers(0, 10**6), st.integers(0, 500), st.integers(0, 500), st.sampled_from([-80.0, -70.0, -60.0])
)
def test_shared_silence_at_the_ends_changes_nothing(seed, before, after, level_db):
    one, two = curves(seed)
    longer = [np.concatenate([np.full(before, level_db), curve, np.full(after, level_db)]) for curve in (one, two)]
    assert score(level_correlation, *longer) == score(level_correlation, one, two)


def test_silence_of_one_alone_counts():
    one, two = -30.0 + 5.0 * np.random.default_rng(0).standard_normal((2, 60))
    late = [np.concatenate([one, SILENCE]), np.concatenate([SILENCE, two])]
    assert score(level_correlation, *late) == pytest.approx(np.corrcoef(*late)[0, 1])
    assert score(level_correlation, *late) < -0.4


def test_only_a_common_end_is_narrowed():
    """The generated sound begins a step later: all steps count, so that even 10 ms late is noticed."""
    rise = np.linspace(-50.0, -20.0, 12)
    real = np.concatenate([SILENCE, rise, SILENCE])
    late = np.roll(real, 1)
    heard = slice(len(SILENCE), len(SILENCE) + len(rise) + 1)
    assert score(level_correlation, real, late) == pytest.approx(np.corrcoef(real[heard], late[heard])[0, 1])
    assert score(level_correlation, real, late) < 0.5


def test_silence_inside_counts_as_agreement():
    """Left out there, it would make sounds at independent times correlate negatively."""
    hit = np.linspace(-10.0, -55.0, 12)
    real = np.concatenate([hit, SILENCE, hit, SILENCE, hit])
    moved = np.concatenate([hit, SILENCE, SILENCE, hit, hit])
    inside = slice(EDGE, len(real) - EDGE)
    assert score(level_correlation, real, moved) == pytest.approx(np.corrcoef(real[inside], moved[inside])[0, 1])


def levels(*parts):
    """Return the level curve of audio at 16 kHz that is made of parts."""
    audio = np.concatenate(parts).astype(np.float32)
    return registry.load("encoders", "envelope").build("cpu")([Signal(audio=audio, duration_s=len(audio) / 16000)])[0][
        "level_db"
    ]


def test_as_many_steps_are_left_out_as_a_window_can_reach_over_an_end():
    """A steady tone after silence: its first levels still average some silence, over three steps at most."""
    tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    reaching = []
    for n_silent in range(1600, 1760):  # every place of the end between two steps
        curve = levels(np.zeros(n_silent), tone, np.zeros(16000))
        heard = curve[curve > SILENT_DB]
        reaching.append(int(np.argmax(np.abs(heard - np.median(heard)) < 0.05)))
    assert max(reaching) == 3
    assert max(reaching) == level_correlation.MARGIN


def hits(times_s):
    """Return four seconds of tones that begin at full strength at some times and die away by 60 dB in 70 ms."""
    seconds = np.arange(64000) / 16000
    after = np.maximum(seconds - np.asarray(times_s)[:, None], 0.0)
    return (0.5 * np.exp(-100.0 * after) * np.sin(2 * np.pi * 700.0 * after)).sum(axis=0)


def test_hits_at_independent_times_do_not_correlate():
    """Where either is heard alone they would, negatively: one is loud while the other is not."""
    draw = np.random.default_rng(1)
    found, heard_alone = [], []
    for _ in range(60):
        one, two = (levels(hits(draw.uniform(0.1, 3.8, 4))) for _ in range(2))
        heard = (one > -60.0) | (two > -60.0)
        found.append(score(level_correlation, one, two))
        heard_alone.append(np.corrcoef(one[heard], two[heard])[0, 1])
    assert np.mean(found) == pytest.approx(-0.02, abs=0.03)
    assert np.mean(heard_alone) == pytest.approx(-0.77, abs=0.05)


@pytest.mark.parametrize("n_silent", [1, 50, 160, 272, 279, 400, 441, 1000, 16000, 160000])
@pytest.mark.parametrize("at_end", [True, False])
def test_padding_of_steady_sound_raises_nothing(n_silent, at_end):
    """Two tones of the same level but for independent changes of 0.02 dB, and silence that a codec left in both."""
    tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(64000) / 16000)
    changes = 1.0 + 0.002 * np.random.default_rng(0).standard_normal((2, 400))
    silence = np.zeros(n_silent)
    tones = [tone * np.repeat(change, 160) for change in changes]
    padded = [levels(*((one, silence) if at_end else (silence, one))) for one in tones]
    assert abs(score(level_correlation, *padded)) < 0.15
    if n_silent >= 160:
        assert np.corrcoef(*padded)[0, 1] > 0.95  # what version 1 said


def test_level_difference_by_hand():
    assert score(level_difference, -20.0, -26.0) == pytest.approx(6.0)
    assert score(level_difference, -26.0, -20.0) == pytest.approx(6.0)
    assert score(level_difference, -20.0, -80.0) == pytest.approx(60.0)
    metric = level_difference.METRIC
    stats = [metric.per_clip(view({"reference": -20.0, "generated": -20.0 + d})) for d in (-3.0, 3.0)]
    assert metric.pool(stats) == pytest.approx(3.0)


def test_logmel_distance_by_hand():
    reference = np.zeros((2, 4))
    generated = np.array([[3.0, 3.0, 3.0, 3.0], [0.0, 0.0, 0.0, 2.0]])
    assert score(logmel_distance, reference, generated) == pytest.approx((3.0 + 1.0) / 2)


def test_profile_distance_by_hand_does_not_hear_gain():
    flat = np.full(4, -20.0)
    assert score(mel_profile_distance, flat, flat + 12.0) == pytest.approx(0.0, abs=1e-12)
    # A quarter each is -6.02 dB, a half -3.01 dB.
    half, quarter = 10 * np.log10([0.5, 0.25])
    lost = np.sqrt((2 * (half - quarter) ** 2 + 2 * (-60.0 - quarter) ** 2) / 4)
    assert score(mel_profile_distance, flat, np.array([-20.0, -20.0, -100.0, -100.0])) == pytest.approx(lost)
    # Shares of 10, 10, 1 and 1 of 22.
    many, few = 10 * np.log10([10 / 22, 1 / 22])
    tilted = np.sqrt(((many - quarter) ** 2 + (few - quarter) ** 2) / 2)
    assert score(mel_profile_distance, flat, np.array([-20.0, -20.0, -30.0, -30.0])) == pytest.approx(tilted)
    assert score(mel_profile_distance, flat, np.full(4, -100.0)) == pytest.approx(60.0 + quarter)


def test_profile_distance_counts_nothing_further_below_the_whole_than_60_db():
    loud, faint = np.array([-10.0, -69.0]), np.array([-10.0, -71.0])
    # The faint band moves the total, and so the share of the loud one, by 5e-6 dB at most.
    assert score(mel_profile_distance, loud, np.array([-10.0, -100.0])) == pytest.approx(np.sqrt(0.5), abs=1e-5)
    assert score(mel_profile_distance, faint, np.array([-10.0, -99.0])) == pytest.approx(0.0, abs=1e-5)


def test_profile_distance_grows_with_every_band_that_is_lost():
    whole = -20.0 - 3.0 * np.arange(16)
    lost = [np.where(np.arange(16) < kept, whole, -100.0) for kept in (16, 12, 8, 5, 3, 2, 1, 0)]
    values = [score(mel_profile_distance, whole, profile) for profile in lost]
    assert values[0] == 0.0
    assert all(before < after for before, after in itertools.pairwise(values))


@pytest.mark.parametrize("module", [level_correlation, level_difference, logmel_distance, mel_profile_distance])
def test_shapes_must_agree_and_values_be_finite(module):
    with pytest.raises(FoleyError, match="shape"):
        score(module, np.zeros((3, 4)), np.zeros((2, 4)))
    with pytest.raises(FoleyError, match="1 of 12 values that are not finite"):
        score(module, np.arange(12.0).reshape(3, 4), np.where(np.eye(3, 4) * [0, 1, 0, 0] > 0, np.nan, 0.0))
