"""The kernel distance in blocks: the same at any block size, resampled by clips, in little memory, computed once."""

import tracemalloc

import numpy as np
import pytest

from foleybench.metrics._math import kernel as _kernel
from foleybench.metrics._math.kernel import KernelPool, median_distance


def clips(n=30, width=12, seed=0):
    """Clips with one to five reference rows and one to three generated ones."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, n), rng.integers(1, 4, n)
    return [
        {"reference": rng.standard_normal((k, width)), "generated": 1.2 * rng.standard_normal((m, width)) + 0.2}
        for k, m in zip(*sizes, strict=True)
    ]


def by_definition(reference, generated, bandwidth):
    """100 times the unbiased squared MMD, every pair written out; pairs of a row with itself are left out."""
    scale = 2 * bandwidth**2 + 1e-8

    def kernel(one, two):
        return np.exp(-np.square(one[:, None] - two).sum(axis=2) / scale)

    within = [(kernel(rows, rows).sum() - len(rows)) / (len(rows) * (len(rows) - 1)) for rows in (reference, generated)]
    return 100 * (sum(within) - 2 * kernel(reference, generated).mean())


def counts_of(n, resamples=20):
    return np.random.default_rng(1).multinomial(n, np.full(n, 1 / n), size=resamples)


def everything(stats):
    pool = KernelPool()
    return np.array([pool(stats), pool.corrected(stats), *pool.many(stats, counts_of(len(stats)))])


@pytest.mark.parametrize("block", [2, 7, 64])
def test_blocks_of_any_size_give_the_same(monkeypatch, block):
    stats = clips()
    wanted = everything(stats)
    monkeypatch.setattr(_kernel, "_BLOCK", block)
    monkeypatch.setattr(_kernel, "_known", {})
    assert everything(stats) == pytest.approx(wanted, rel=1e-12)


def test_resamples_are_the_distances_of_the_drawn_rows():
    stats = clips()
    reference, generated = (np.concatenate([stat[side] for stat in stats]) for side in ("reference", "generated"))
    bandwidth = median_distance(reference)
    counts = counts_of(len(stats))
    drawn = [np.repeat(np.arange(len(stats)), row) for row in counts]
    wanted = [
        by_definition(
            np.concatenate([stats[i]["reference"] for i in row]),
            np.concatenate([stats[i]["generated"] for i in row]),
            bandwidth,
        )
        for row in drawn
    ]
    assert len(reference) != len(generated)
    assert KernelPool().many(stats, counts) == pytest.approx(wanted, rel=1e-11)


@pytest.mark.parametrize("side", ["reference", "generated"])
def test_distance_is_that_of_the_definition_with_either_bandwidth(side):
    stats = clips()
    rows = {name: np.concatenate([stat[name] for stat in stats]) for name in ("reference", "generated")}
    bandwidth = median_distance(rows[side])
    wanted = by_definition(rows["reference"], rows["generated"], bandwidth)
    assert KernelPool(side)(stats) == pytest.approx(wanted, rel=1e-10)


def test_correction_leaves_out_the_pairs_of_one_clip():
    stats = clips(8)
    rows = {side: np.concatenate([stat[side] for stat in stats]) for side in ("reference", "generated")}
    clip = {side: np.repeat(np.arange(8), [len(stat[side]) for stat in stats]) for side in rows}
    scale = 2 * median_distance(rows["reference"]) ** 2 + 1e-8

    def mean(one, two):
        kernel = np.exp(-np.square(rows[one][:, None] - rows[two]).sum(axis=2) / scale)
        return kernel[clip[one][:, None] != clip[two]].mean()

    wanted = 100 * (
        mean("reference", "reference") + mean("generated", "generated") - 2 * mean("reference", "generated")
    )
    assert KernelPool().corrected(stats) == pytest.approx(wanted, rel=1e-10)


def test_memory_is_that_of_the_condensed_distances_and_some_blocks():
    rng = np.random.default_rng(0)
    stats = [{"reference": rng.standard_normal((1, 4)), "generated": rng.standard_normal((1, 4))} for _ in range(3000)]
    counts = counts_of(len(stats), 10)
    tracemalloc.start()
    KernelPool()(stats)
    KernelPool().many(stats, counts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    distances = 8 * 3000 * 2999 / 2
    assert distances < peak < 1.3 * distances  # all pairs of one side twice would be 2, a square matrix as well


def test_same_rows_are_not_looked_at_again(monkeypatch):
    stats = clips(seed=3)
    values = everything(stats)

    def never(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(_kernel, "median_distance", never)
    monkeypatch.setattr(_kernel, "_within", never)
    assert KernelPool()(stats) == values[0]
    assert KernelPool().corrected(stats[::-1]) == values[1]
    stats[4]["generated"][0, 3] += 1e-9
    with pytest.raises(AssertionError, match="computed again"):
        KernelPool()(stats)


def test_only_so_much_is_remembered(monkeypatch):
    known = {}
    monkeypatch.setattr(_kernel, "_known", known)
    monkeypatch.setattr(_kernel, "_MOST_KNOWN", 8)
    for seed in range(10):
        KernelPool()(clips(3, 2, seed))
    assert len(known) == 8
