import pytest
import torch

from foleybench.errors import UnknownNameError
from foleymodels._parts.code_patterns import delayed, delays_of, flattened, holds_code, undelayed, unflattened

FILL = 99


def numbered(n, n_books, batch=1):
    """Codes that tell their place: 10 times the time plus the codebook."""
    one = torch.arange(n)[:, None] * 10 + torch.arange(n_books)
    return one.expand(batch, -1, -1)


def test_delayed_codes_by_hand():
    """Four times of three codebooks: codebook q of time t is written at step t + q."""
    steps = delayed(numbered(4, 3), (0, 1, 2), FILL)[0]
    assert steps.tolist() == [[0, 99, 99], [10, 1, 99], [20, 11, 2], [30, 21, 12], [99, 31, 22], [99, 99, 32]]
    assert (steps != FILL).tolist() == holds_code(4, (0, 1, 2)).tolist()


def audiocraft_layout(n, n_books):
    """The layout of `audiocraft@2ce177f` `DelayedPatternProvider.get_pattern` in its own terms, written from its rule.

    Step 0 is empty; then every step s holds (s - 1 - q, q) where that time exists, for delays 0, 1, 2 ...
    """
    out = [[]]
    for step in range(n + n_books - 1):
        out.append([(step - q, q) for q in range(n_books) if step - q >= 0])
    return out


@pytest.mark.parametrize(("n", "n_books"), [(1, 4), (3, 4), (9, 2)])
def test_delayed_codes_are_those_of_the_published_layout(n, n_books):
    steps = delayed(numbered(n, n_books), delays_of("delay", n_books), FILL)[0]
    layout = audiocraft_layout(n, n_books)[1:]
    assert len(layout) == len(steps)
    for row, places in zip(steps.tolist(), layout, strict=True):
        wanted = [FILL] * n_books
        for time, book in places:
            if time < n:
                wanted[book] = time * 10 + book
        assert row == wanted


def test_parallel_codes_stay_as_they_are():
    codes = numbered(5, 3, batch=2)
    assert torch.equal(delayed(codes, delays_of("parallel", 3), FILL), codes)


@pytest.mark.parametrize("pattern", ["delay", "parallel"])
@pytest.mark.parametrize(("n", "n_books"), [(1, 1), (1, 5), (7, 4), (64, 8)])
def test_codes_come_back(pattern, n, n_books):
    codes = torch.randint(0, 50, (3, n, n_books), generator=torch.Generator().manual_seed(n))
    delays = delays_of(pattern, n_books)
    assert torch.equal(undelayed(delayed(codes, delays, FILL), delays), codes)
    assert torch.equal(unflattened(flattened(codes), n_books), codes)


def test_a_grid_is_written_column_by_column():
    """`SpecVQGAN@5bc54f3` `ColumnMajor`: from row-major indices of 2 bands and 3 times to 0, 3, 1, 4, 2, 5."""
    bands_by_times = torch.arange(6).reshape(1, 2, 3)
    assert flattened(bands_by_times.transpose(1, 2)).tolist() == [[0, 3, 1, 4, 2, 5]]


def test_a_pattern_that_is_not_there_is_named():
    with pytest.raises(UnknownNameError, match="coarse"):
        delays_of("coarse", 2)
