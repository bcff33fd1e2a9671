"""Numbers that were read from other captions are not ranked beside the rest, and not compared."""

from foleybench.artefacts.entries import read_entry
from foleybench.leaderboard.compare import _unlike_captions
from foleybench.leaderboard.same_captions import captions_of, other_captions
from foleybench.metrics import clap_audio_score, clap_score


def result(sha256=""):
    return {"run": {"captions": {"sha256": sha256 * 64, "n_clips": 3}} if sha256 else {}}


def test_the_captions_of_most_rows_count():
    found = other_captions([result("a"), result("b"), result("b")], clap_score.METRIC)
    assert found[1:] == ["", ""]
    assert found[0] == "read captions aaaaaaaa, most rows captions bbbbbbbb; run eval again with those"


def test_of_equally_many_the_manifest_counts():
    found = other_captions([result("a"), result(), {"run": None}, result("a")], clap_score.METRIC)
    assert [bool(reason) for reason in found] == [True, False, False, True]
    assert "most rows the manifest's captions" in found[0]


def test_metrics_that_read_nothing_are_left_alone():
    for metric in (clap_audio_score.METRIC, None):
        assert other_captions([result("a"), result("b")], metric) == ["", ""]


def test_two_results_with_other_captions(tmp_path, make_result):
    entries = [read_entry(make_result(tmp_path, name)) for name in ("one", "two")]
    assert _unlike_captions(*entries) == []
    for entry, sha256 in zip(entries, "ab", strict=True):
        entry.result["run"]["captions"] = {"sha256": sha256 * 64}
        entry.result["metrics"]["clap_score"] = {}
    assert captions_of(entries[0].result) == "a" * 64
    assert _unlike_captions(*entries) == ["clap_score"]
