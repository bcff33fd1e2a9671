"""Retrieval, similarity and divergence on the embeddings of aiSFX, by hand."""

import math

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy, mannwhitneyu

from foleybench.encoders._nets.aisfx_heads import PLACES
from foleybench.metrics import kld_aisfx, retrieval_aisfx, retrieval_at_1_aisfx, similarity_aisfx
from foleybench.metrics._math.retrieval import RetrievalPool
from tests.metrics.views import view

AREA, FIRST = retrieval_aisfx.METRIC, retrieval_at_1_aisfx.METRIC


def stats(reference, generated):
    return [
        AREA.per_clip(view({"reference": [r], "generated": [g]})) for r, g in zip(reference, generated, strict=True)
    ]


def turned(*degrees):
    return [[math.cos(math.radians(d)), math.sin(math.radians(d))] for d in degrees]


def test_found_by_hand():
    # Real sounds at 0, 40 and 90 degrees. The first is found; the second is nearer to the third than to its own; the
    # third is as far from both others.
    found = stats(turned(0, 40, 90), turned(5, 80, 20))
    assert AREA.pool(found) == pytest.approx((2 / 2 + 1 / 2 + 0 / 2) / 3)
    assert FIRST.pool(found) == pytest.approx(1 / 3)


def test_as_near_counts_half_and_is_not_first():
    found = stats(turned(0, 90), turned(45, 90))
    # 45 degrees is as near to both, to the last bit: cosine and sine of 45 degrees differ, so give it exactly.
    found[0] = AREA.per_clip(view({"reference": [[1.0, 0.0]], "generated": [[1.0, 1.0]]}))
    found[1] = AREA.per_clip(view({"reference": [[0.0, 1.0]], "generated": [[0.0, 1.0]]}))
    assert AREA.pool(found) == pytest.approx((0.5 + 1) / 2)
    assert FIRST.pool(found) == 0.5


def test_length_of_an_embedding_does_not_matter_and_rows_are_averaged():
    rows = view({"reference": [[1.0, 0.0], [0.0, 1.0]], "generated": [[3.0, 0.0], [0.0, 3.0]]})
    assert AREA.pool([AREA.per_clip(rows), *stats(turned(0), turned(0))]) == 1.0


def test_clips_with_the_same_real_sound_are_one_clip():
    same = stats(turned(0, 0, 90), turned(80, 10, 90))
    assert AREA.pool(same) == pytest.approx((0 + 1 + 1) / 3)
    assert FIRST.pool(same) == pytest.approx(2 / 3)
    assert math.isnan(AREA.pool(stats(turned(0, 0), turned(10, 80))))


def test_chance_is_one_half_and_one_in_n():
    rng = np.random.default_rng(0)
    found = stats(rng.standard_normal((600, 16)), rng.standard_normal((600, 16)))
    assert AREA.pool(found) == pytest.approx(0.5, abs=0.04)
    assert FIRST.pool(found) == pytest.approx(1 / 600, abs=0.006)


def test_area_is_that_of_mann_and_whitney():
    rng = np.random.default_rng(1)
    reference = rng.standard_normal((40, 8))
    generated = reference + 1.5 * rng.standard_normal((40, 8))
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (generated, reference)]
    near = unit[0] @ unit[1].T
    each = [mannwhitneyu([row[i]], np.delete(row, i)).statistic / 39 for i, row in enumerate(near)]
    assert AREA.pool(stats(reference, generated)) == pytest.approx(np.mean(each), abs=1e-12)
    assert FIRST.pool(stats(reference, generated)) == np.mean(near.argmax(axis=1) == np.arange(40))


def test_more_clips_than_fit_into_memory_at_once(monkeypatch):
    rng = np.random.default_rng(2)
    reference = rng.standard_normal((50, 4))
    found = stats(reference, reference + 0.3 * rng.standard_normal((50, 4)))
    whole = [metric.pool(found) for metric in (AREA, FIRST)]
    monkeypatch.setattr("foleybench.metrics._math.retrieval._BLOCK", 7)
    assert [metric.pool(found) for metric in (AREA, FIRST)] == pytest.approx(whole, abs=1e-12)
    assert 0.5 < whole[1] < whole[0] < 1


@pytest.mark.parametrize("what", ["area", "first"])
def test_influence_is_what_leaving_a_clip_out_does(what):
    rng = np.random.default_rng(4)
    reference = rng.standard_normal((60, 6))
    found, pool = stats(reference, reference + 0.6 * rng.standard_normal((60, 6))), RetrievalPool(what)
    without = np.array([pool(found[:k] + found[k + 1 :]) for k in range(60)])
    moved = (pool(found) - without) * (1 - 1 / 60)
    moved -= moved.mean()
    change = pool.influence(found).change
    assert np.abs(change - moved).max() < (1e-12 if what == "first" else 1e-3)
    assert np.corrcoef(change, moved)[0, 1] > 0.999
    assert 0.3 < pool(found) < 0.99


def test_influence_of_two_clips_is_defined():
    assert np.isfinite(RetrievalPool("first").influence(stats(turned(0, 90), turned(0, 90))).change).all()
    assert np.isfinite(RetrievalPool("area").influence(stats(turned(0, 0, 90), turned(10, 80, 90))).change).all()


def test_similarity_is_the_cosine_of_means():
    metric = similarity_aisfx.METRIC
    one = metric.per_clip(view({"first": [[2.0, 0.0], [0.0, 2.0]], "second": [[1.0, 0.0], [3.0, 0.0]]}))
    assert metric.pool([one]) == pytest.approx(math.cos(math.pi / 4))


def test_divergence_is_the_mean_of_three_heads_of_posteriors_averaged_over_blocks():
    rng = np.random.default_rng(3)
    reference, generated = (2 * rng.standard_normal((3, 378)) for _ in range(2))
    metric = kld_aisfx.METRIC
    each = []
    for place in PLACES[:3]:
        p, q = (softmax(logits[:, place], axis=1).mean(axis=0) for logits in (reference, generated))
        each.append(entropy(p, q))
    found = metric.pool([metric.per_clip(view({"reference": reference, "generated": generated}))])
    assert found == pytest.approx(np.mean(each), rel=1e-12)
    generated[:, PLACES[3].start :] += rng.standard_normal((3, 378 - PLACES[3].start))  # other heads do not count
    assert metric.pool([metric.per_clip(view({"reference": reference, "generated": generated}))]) == found
