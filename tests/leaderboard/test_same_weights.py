from foleybench.leaderboard.same_weights import other_weights
from foleybench.metrics import align_acc, align_acc_trained, real_time_factor


def result(**weights):
    return {"run": {"encoders": {name: {"version": 1, "weights_sha256": sha256} for name, sha256 in weights.items()}}}


def test_the_weights_of_most_rows_count():
    results = [result(align_trained="a" * 64), result(align_trained="b" * 64), result(align_trained="b" * 64)]
    found = other_weights(results, align_acc_trained.METRIC)
    assert found[1:] == ["", ""]
    assert "weights aaaaaaaa of align_trained, most rows with bbbbbbbb" in found[0]


def test_of_equally_many_the_smaller_hash_counts_whatever_the_order():
    one, two = result(align_trained="a" * 64), result(align_trained="b" * 64)
    assert [bool(reason) for reason in other_weights([one, two], align_acc_trained.METRIC)] == [False, True]
    assert [bool(reason) for reason in other_weights([two, one], align_acc_trained.METRIC)] == [True, False]


def test_encoders_that_another_comes_after_count_too():
    results = [result(diff_foley_align="a" * 64, cavp_video=sha256 * 64) for sha256 in "ccd"]
    assert [bool(reason) for reason in other_weights(results, align_acc.METRIC)] == [False, False, True]


def test_results_without_weights_and_metrics_without_encoders_are_left_alone():
    results = [result(align_trained="a" * 64), result(align_trained=None), result(), {"run": None}]
    assert other_weights(results, align_acc_trained.METRIC) == [""] * 4
    assert other_weights(results, real_time_factor.METRIC) == [""] * 4
    assert other_weights(results, None) == [""] * 4
