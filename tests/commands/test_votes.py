"""``foleybench votes`` from a table of ratings to the result: what it prints, refuses, and ends with."""

import numpy as np
import pytest

from foleybench.artefacts.people import read_people
from foleybench.cli import main
from foleybench.media.audio import write_wav
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest
from tests.made_results import make_result


@pytest.fixture
def ratings(clicks, tmp_path):
    """Scores of four raters for two systems, the real sound and noise; the last rater mixes these up."""
    lines = ["rater,clip,system,score"]
    rng = np.random.default_rng(0)
    for rater in range(4):
        for clip_id in ShardDataset(clicks).clip_ids:
            for system, mean in {"real": 90, "hiss": 10, "ours": 70, "theirs": 40}.items():
                score = mean if rater < 3 else rng.integers(100)
                lines.append(f"r{rater},{clip_id},{system},{score + rng.integers(9)}")
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


SCREEN = ["--reference", "real", "--anchor", "hiss"]


def test_scores_of_a_table_with_screening_and_data(ratings, clicks, tmp_path, capsys):
    out, kept = tmp_path / "people", tmp_path / "kept.csv"
    words = ["votes", str(ratings), *SCREEN, "--data", str(clicks), "--out", str(out), "--csv", str(kept)]
    assert main([*words, "--question", "How good?"]) == 3
    told = capsys.readouterr()
    path = next(out.iterdir())
    assert told.out == f"{path}\n"
    found = read_people(path)
    assert path.name.startswith("clicks.")
    assert found["dataset"]["manifest_sha256"] == read_manifest(clicks).sha256
    assert found["question"] == "How good?"
    assert [one["rater"] for one in found["screening"]["excluded"]] == ["r3"]
    assert found["left"]["value"] is None  # scores have no sides
    assert {name: s["n_votes"] for name, s in found["systems"].items()}["ours"] == 3 * 6 * 3
    scores = {name: s["score"]["value"] for name, s in found["systems"].items()}
    assert scores["real"] > scores["ours"] > scores["theirs"] > scores["hiss"]
    assert "r3" not in kept.read_text()
    assert "left out: rater r3" in told.err


def test_with_results_it_says_how_metrics_agree(ratings, tmp_path, capsys):
    for name, skill in (("ours", 0.8), ("theirs", 0.3)):
        make_result(tmp_path / "results", name, skill=skill, clip_ids=[f"clip{i:02d}_000000" for i in range(6)])
    words = ["votes", str(ratings), *SCREEN, "--no-screening", "--out", str(tmp_path / "people")]
    assert main([*words, "--results", str(tmp_path / "results")]) == 0
    told = capsys.readouterr().err
    assert "event_f1 (trial)" in told
    assert "cannot be said: 2 systems with votes and a value, 5 are needed" in told
    assert "screening: no screening, by --no-screening" in told
    (tmp_path / "empty").mkdir()
    assert main([*words, "--results", str(tmp_path / "empty")]) == 0
    assert "is about these clips and one of ours, theirs" in capsys.readouterr().err
    assert main([*words, "--results", str(tmp_path / "absent")]) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reference", "real"], "give both --reference and --anchor"),
        (["--reference", "real", "--anchor", "nothing"], "nothing to screen by"),
        (["--key", "none.json"], "none.json does not exist"),
        (["--data", "none.jsonl"], "none.jsonl"),
    ],
)
def test_what_is_refused(ratings, tmp_path, capsys, words, said):
    assert main(["votes", str(ratings), *words, "--out", str(tmp_path / "people")]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "people").exists()


def test_data_may_be_a_folder_of_videos_as_for_listen(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("dog", "door"):
        write_wav(tmp_path / "real" / f"{name}.wav", np.full(8000, 0.1, np.float32), 16000)
    table = tmp_path / "ratings.csv"
    table.write_text(
        "rater,clip,A,B,choice\n" + "".join(f"r{n},{c},x,y,A\n" for n in range(3) for c in ("dog", "door"))
    )
    words = [
        "votes",
        str(table),
        "--question",
        "q",
        "--data",
        str(tmp_path / "real"),
        "--out",
        str(tmp_path / "people"),
    ]
    assert main(words) == 0
    assert read_people(next((tmp_path / "people").iterdir()))["dataset"]["name"] == "real"
    (tmp_path / "real" / "a.manifest.jsonl").write_text("")
    (tmp_path / "real" / "b.manifest.jsonl").write_text("")
    assert main(words) == 1
    assert "--data" in capsys.readouterr().err
