import itertools

import numpy as np
import pytest

from foleybench.metrics._math.onset_matching import count_matches, nearest_pairs


def array(*times):
    return np.asarray(times, dtype=np.float64)


@pytest.mark.parametrize(
    ("reference", "generated", "tolerance", "wanted"),
    [
        ((), (), 0.05, 0),
        ((1.0,), (), 0.05, 0),
        ((), (1.0,), 0.05, 0),
        ((1.0,), (1.05,), 0.05, 1),  # 1.05 - 1.0 is a little more than 0.05 in floats
        ((1.0,), (0.95,), 0.05, 1),
        ((1.0,), (1.0501,), 0.05, 0),
        ((1.0,), (0.9499,), 0.05, 0),
        ((1.0,), (1.0, 1.01), 0.05, 1),  # one event, two sounds: one hit
        ((1.0, 1.01), (1.0,), 0.05, 1),
        ((1.0, 1.05), (1.04, 1.09), 0.05, 2),  # taking the nearest first would leave one over
        ((1.0, 1.06), (1.05, 1.08), 0.05, 2),
        ((0.1, 0.2, 0.3), (0.11, 0.29), 0.05, 2),
    ],
)
def test_counts_worked_out_by_hand(reference, generated, tolerance, wanted):
    assert count_matches(array(*reference), array(*generated), tolerance) == wanted


def best_by_trying(reference, generated, tolerance):
    fits = [[abs(g - r) <= tolerance + 1e-9 for g in generated] for r in reference]
    n = min(len(reference), len(generated))
    for size in range(n, 0, -1):
        for chosen in itertools.combinations(range(len(reference)), size):
            for order in itertools.permutations(range(len(generated)), size):
                if all(fits[i][j] for i, j in zip(chosen, order, strict=True)):
                    return size
    return 0


def test_no_larger_matching_exists():
    rng = np.random.default_rng(0)
    for _ in range(150):
        reference, generated = (np.sort(rng.uniform(0, 1, rng.integers(0, 6))) for _ in range(2))
        assert count_matches(reference, generated, 0.1) == best_by_trying(reference, generated, 0.1)


def test_symmetric_and_monotone_in_the_tolerance():
    rng = np.random.default_rng(1)
    for _ in range(50):
        one, two = (np.sort(rng.uniform(0, 3, 20)) for _ in range(2))
        counts = [count_matches(one, two, tolerance) for tolerance in (0.01, 0.03, 0.1, 0.3, 3.0)]
        assert counts == sorted(counts)
        assert counts[-1] == 20
        assert counts == [count_matches(two, one, tolerance) for tolerance in (0.01, 0.03, 0.1, 0.3, 3.0)]


def test_offsets_have_the_sign_of_lateness():
    assert nearest_pairs(array(1.0, 2.0), array(1.1, 1.9), 0.3) == pytest.approx([0.1, -0.1])


def test_an_extra_sound_does_not_shift_its_neighbours():
    reference = np.arange(10) * 0.2
    generated = np.sort(np.append(reference, 0.5))
    np.testing.assert_allclose(nearest_pairs(reference, generated, 0.3), 0.0, atol=1e-12)


def test_a_missing_sound_leaves_its_event_alone():
    reference = np.arange(10) * 0.2
    np.testing.assert_allclose(nearest_pairs(reference, np.delete(reference, 4), 0.3), 0.0, atol=1e-12)


@pytest.mark.parametrize(("distance", "n"), [(0.29, 1), (0.3, 1), (0.301, 0)])
def test_window_of_the_pairs(distance, n):
    assert len(nearest_pairs(array(1.0), array(1.0 + distance), 0.3)) == n


def cost(reference, generated, offsets, tolerance):
    return sum(abs(offsets)) + (len(reference) + len(generated) - 2 * len(offsets)) * tolerance / 2


def cheapest_by_trying(reference, generated, tolerance):
    best = (len(reference) + len(generated)) * tolerance / 2
    for size in range(1, min(len(reference), len(generated)) + 1):
        for chosen in itertools.combinations(range(len(reference)), size):
            for order in itertools.permutations(range(len(generated)), size):
                offsets = np.array([generated[j] - reference[i] for i, j in zip(chosen, order, strict=True)])
                if (np.abs(offsets) <= tolerance).all():
                    best = min(best, cost(reference, generated, offsets, tolerance))
    return best


def test_no_cheaper_pairing_exists():
    rng = np.random.default_rng(2)
    for _ in range(150):
        reference, generated = (np.sort(rng.uniform(0, 1, rng.integers(0, 6))) for _ in range(2))
        offsets = nearest_pairs(reference, generated, 0.3)
        assert cost(reference, generated, offsets, 0.3) == pytest.approx(cheapest_by_trying(reference, generated, 0.3))
