"""The kernel distance in blocks: the same at any block size, how it rests on clips, in little memory, computed once."""

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from foleybench.metrics._math import kernel as _kernel
from foleybench.metrics._math import squares as _squares
from foleybench.metrics._math.kernel import KernelPool
from foleybench.metrics._math.median_distance import median_distance


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


def pairs_below(n_rows):
    """The place of the median distance, the lower of two."""
    return (n_rows * (n_rows - 1) // 2 - 1) // 2


def names(stats):
    return [str(index) for index in range(len(stats))]


def everything(stats):
    pool = KernelPool()
    return np.array([pool(stats), pool.corrected(stats, names(stats)), *pool.influence(stats).change])


@pytest.mark.parametrize("block", [2, 7, 64])
def test_blocks_of_any_size_give_the_same(monkeypatch, block):
    stats = clips()
    wanted = everything(stats)
    monkeypatch.setattr(_squares, "BLOCK", block)
    monkeypatch.setattr(_kernel, "_known", {})
    assert everything(stats) == pytest.approx(wanted, rel=1e-12)


def test_influence_is_the_derivative_with_rows_that_never_meet_themselves():
    """Pairs of rows of other clips count with both weights, pairs within a clip once, by hand; the bandwidth stays."""
    stats = clips(12)
    found = KernelPool().influence(stats)
    rows = {side: np.concatenate([stat[side] for stat in stats]) for side in ("reference", "generated")}
    clip = {side: np.repeat(np.arange(12), [len(stat[side]) for stat in stats]) for side in rows}
    scale = 2 * median_distance(rows["reference"]) ** 2 + 1e-8

    def distance(weights):
        means = []
        for one, two in (("reference",) * 2, ("generated",) * 2, ("reference", "generated")):
            kernel = np.exp(-np.square(rows[one][:, None] - rows[two]).sum(axis=2) / scale)
            same = clip[one][:, None] == clip[two]
            each = np.where(same, weights[clip[one]][:, None], np.outer(weights[clip[one]], weights[clip[two]]))
            if one == two:
                np.fill_diagonal(each, 0.0)
            means.append(np.sum(each * kernel) / each.sum())
        return 100 * (means[0] + means[1] - 2 * means[2])

    slopes = []
    for index in range(12):
        step = np.zeros(12)
        step[index] = 1e-5
        slopes.append((distance(np.ones(12) + step) - distance(np.ones(12) - step)) / 2e-5)
    wanted = np.array(slopes) - found.weights * np.sum(slopes)
    assert found.change == pytest.approx(wanted, rel=1e-5, abs=1e-7)
    shuffled = KernelPool().influence(stats[::-1])
    assert shuffled.change[::-1] == pytest.approx(found.change, rel=1e-9)


def test_standard_error_of_a_kernel_distance_is_the_true_one():
    values, errors = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        stats = [{"reference": a[None], "generated": 0.4 + 1.3 * b[None]} for a, b in rng.normal(size=(80, 2, 6))]
        values.append(KernelPool()(stats))
        errors.append(np.sqrt(np.sum(KernelPool().influence(stats).change ** 2) * 80 / 79))
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.25)


def test_correction_leaves_out_the_pairs_of_one_video():
    """Regrouped: four videos of two clips are four clips of twice the rows."""
    stats = clips(8)
    joined = [
        {side: np.concatenate([a[side], b[side]]) for side in a} for a, b in zip(stats[::2], stats[1::2], strict=True)
    ]
    by_video = KernelPool().corrected(stats, [f"v{index // 2}" for index in range(8)])
    assert by_video == pytest.approx(KernelPool().corrected(joined, names(joined)), rel=1e-12)
    assert by_video != pytest.approx(KernelPool().corrected(stats, names(stats)), rel=1e-3)


def test_kernel_correction_knows_the_videos():
    """Generated audio that copies other clips of the same video: those pairs are no evidence of a good system."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(30):
        own = rng.normal(size=(20, 1, 6))
        reference = own + 0.1 * rng.normal(size=(20, 5, 6))
        generated = rng.normal(size=(20, 1, 6)) + 0.1 * rng.normal(size=(20, 5, 6))
        pairs = zip(reference.reshape(-1, 1, 6), generated.reshape(-1, 1, 6), strict=True)
        stats = [{"reference": a, "generated": b} for a, b in pairs]
        sources = [str(index // 5) for index in range(100)]
        found.append((KernelPool().corrected(stats, names(stats)), KernelPool().corrected(stats, sources)))
    by_clip, by_video = np.mean(found, axis=0)
    assert abs(by_video) < 0.3 * abs(by_clip)  # equal laws: 0 is true; over 200 sets -0.06 against 3.26


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
    assert KernelPool().corrected(stats, names(stats)) == pytest.approx(wanted, rel=1e-10)


def test_by_hand():
    """Reference 0, 1, 3: the median distance is 2, so exponents are squares over 8; generated 0, 2."""
    stats = [
        {"reference": np.array([[0.0], [1.0]]), "generated": np.array([[0.0]])},
        {"reference": np.array([[3.0]]), "generated": np.array([[2.0]])},
    ]
    kernel = {gap: np.exp(-(gap**2) / (8 + 1e-8)) for gap in range(4)}
    means = [
        (kernel[1] + kernel[2] + kernel[3]) / 3,
        kernel[2],
        (kernel[0] + 3 * kernel[1] + kernel[2] + kernel[3]) / 6,
    ]
    assert KernelPool()(stats) == pytest.approx(100 * (means[0] + means[1] - 2 * means[2]), rel=1e-13)
    own = [(kernel[2] + kernel[3]) / 2, kernel[2], (kernel[2] + kernel[1] + kernel[3]) / 3]
    assert KernelPool().corrected(stats, names(stats)) == pytest.approx(100 * (own[0] + own[1] - 2 * own[2]), rel=1e-13)


@pytest.mark.parametrize("side", ["reference", "generated"])
@pytest.mark.parametrize(("n", "width"), [(90, 5), (700, 16)])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_distance_of_many_rows_far_from_zero_is_that_of_the_definition(side, n, width, offset):
    """In one block and in several, against every distance by itself; without centring 1e3 costs six digits."""
    stats = [{name: rows + offset for name, rows in clip.items()} for clip in clips(n, width, seed=5)]
    rows = {name: np.concatenate([stat[name] for stat in stats]) for name in ("reference", "generated")}
    gamma = 1 / (2 * np.partition(pdist(rows[side]), (middle := pairs_below(len(rows[side]))))[middle] ** 2 + 1e-8)
    within = [np.exp(-gamma * pdist(rows[name], "sqeuclidean")).mean() for name in rows]
    across = np.exp(-gamma * cdist(rows["reference"], rows["generated"], "sqeuclidean")).mean()
    assert KernelPool(side)(stats) == pytest.approx(100 * (sum(within) - 2 * across), rel=1e-11)


@pytest.mark.parametrize("side", ["reference", "generated"])
def test_sets_far_from_each_other_keep_what_each_is_in_itself(side):
    """Each set is centred on its own mean: around the other's, a distance of 1e8 would cost all digits."""
    stats = [{"reference": clip["reference"], "generated": clip["generated"] + 1e8} for clip in clips(40, 6, seed=5)]
    near = [{**clip, "generated": clip["generated"] - 1e8} for clip in stats]
    rows = {name: np.concatenate([clip[name] for clip in near]) for name in ("reference", "generated")}
    scale = 2 * median_distance(rows[side]) ** 2 + 1e-8

    def within(name):
        kernel = np.exp(-np.square(rows[name][:, None] - rows[name]).sum(axis=2) / scale)
        return (kernel.sum() - len(kernel)) / (len(kernel) * (len(kernel) - 1))

    wanted = 100 * (within("reference") + within("generated"))
    assert KernelPool(side)(stats) == pytest.approx(wanted, rel=1e-6)


def test_distances_computed_once_or_at_every_pass_give_the_same_bits(monkeypatch):
    stats = clips(300, 6)
    wanted = everything(stats)
    monkeypatch.setattr(_squares, "MOST_KEPT", 100)
    monkeypatch.setattr(_kernel, "_known", {})
    assert everything(stats).tolist() == wanted.tolist()


def test_distances_of_the_reference_are_computed_once(monkeypatch):
    """For the bandwidth, for the kernel, and for a second system."""
    counted = []
    products = _squares.Centred.within
    monkeypatch.setattr(_squares.Centred, "within", lambda rows: counted.append(len(rows.values)) or products(rows))
    monkeypatch.setattr(_kernel, "_known", {})
    stats = clips(40)
    n, m = (sum(len(stat[name]) for stat in stats) for name in ("reference", "generated"))
    KernelPool()(stats)
    assert counted == [n, m]
    other = [stat | {"generated": stat["generated"] + 1.0} for stat in stats]
    first = KernelPool()(other)
    assert counted == [n, m, m]
    monkeypatch.setattr(_kernel, "_known", {})
    assert KernelPool()(other) == first


def test_memory_is_that_of_some_blocks():
    rng = np.random.default_rng(0)
    stats = [{"reference": rng.standard_normal((1, 4)), "generated": rng.standard_normal((1, 4))} for _ in range(3000)]
    tracemalloc.start()
    KernelPool()(stats)
    KernelPool().influence(stats)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    distances = 8 * 3000 * 2999 / 2
    assert peak < 0.4 * distances  # measured 0.31; a number a pair would be 1, a square matrix 2


def test_same_rows_are_not_looked_at_again(monkeypatch):
    stats = clips(seed=3)
    values = everything(stats)

    def never(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(_kernel, "median_distance", never)
    monkeypatch.setattr(_kernel, "_within", never)
    assert KernelPool()(stats) == values[0]
    assert KernelPool().corrected(stats[::-1], names(stats)) == values[1]
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
