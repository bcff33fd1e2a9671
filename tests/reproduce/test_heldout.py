"""The page of the held-out splits: its plan, what stands, what it shows."""

import argparse
import csv
import hashlib
import io
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from foleybench import cli, registry
from foleybench.api.weights import shipped_mini
from foleybench.artefacts.entries import read_all
from foleybench.commands import train as train_command
from foleybench.commands.eval import CONTROLS
from foleybench.errors import EXIT_ERROR
from foleybench.files import file_sha256, write_atomically
from foleybench.media.audio import write_wav
from foleybench.reproduce import heldout, heldout_page
from foleybench.reproduce.build import steps_of, write_tables
from foleybench.reproduce.heldout_page import _lengths
from foleybench.reproduce.measure import Measured, cell, unpaired
from foleybench.reproduce.page_evaluators import page_evaluators_folder
from foleybench.reproduce.plan import Setup, left_to_do
from foleybench.shards.manifest import Entry, Header, read_manifest, write_manifest
from foleybench.stats.moderated import CommonLaw
from foleybench.synthesis.splits import SPLITS, CorpusOptions
from foleybench.synthfoley.splits import split_specs
from tests import made_results
from tests.made_results import make_result, run_of

CLASSES, PAIRS = "d" * 64, "b" * 64  # hashes of the page's evaluators
METRICS = ("event_f1_25ms", "kld_mini", "fad_mini", "align_acc_mini", "class_accuracy")
PUBLISHED = Path("leaderboards/published.csv")


def named(classes=CLASSES, pairs=PAIRS):
    return {
        "mini_class": {"version": 1, "weights_sha256": classes},
        "mini_align": {"version": 3, "weights_sha256": pairs},
    }


@pytest.fixture(autouse=True)
def scored_by(monkeypatch):
    """Have results made as of the page's evaluators; return a function that has them made as of others."""

    def scored(evaluators):
        monkeypatch.setattr(made_results, "run_of", lambda *asked: {**run_of(*asked), "encoders": evaluators})

    scored(named())
    return scored


def test_evaluations_on_held_out_splits_are_of_networks_alone(tmp_path):
    steps = steps_of(Setup(work=tmp_path / "work", results=tmp_path / "results", nfe=4), ["heldout"])
    counted = {step.name for step in steps if "--nfe" in step.words}
    assert "eval-heldout-tempo-full-tiny-nfe4-seed0" in counted
    assert not any("pasted_grains" in name or "truth" in name for name in counted)


SKILLS = {"Foley-Flow": 0.5, "Pasted grains": 0.3, "real audio": 0.9}


def made_splits(folder, seeds):
    """Results of all splits: Foley-Flow is worse on the held-out ones, pasted grains are as bad as ever."""
    setup = Setup(work=folder / "work", results=folder / "results", data=folder / "data", seeds=seeds)
    for split in heldout.splits(setup):
        _manifest(split, fps=(24.0, 50.0) if split.key == "fps" else (25.0,))
        for sound, names in heldout.result_names(setup, split).items():
            skill = 0.8 if (split.key, sound) == ("test", "Foley-Flow") else SKILLS[sound]
            for name in names:
                make_result(folder / "heldout_results", name, skill=skill, metrics=METRICS)
    return setup


def test_the_page_of_heldout_splits(tmp_path):
    """Each is tested against itself on the test split."""
    setup = made_splits(tmp_path, 1)
    assert write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c") == []
    page = (tmp_path / "heldout.md").read_text()
    assert (
        "Made by `foleybench reproduce heldout --size tiny --seeds 1`. The reference model, 1 training seed, trained on"
        in page
    )
    assert "95 % intervals over clips. A length" in page
    assert "| ... 24 fps | Foley-Flow |" in page
    assert "| ... 50 fps | Pasted grains |" in page
    assert page.count("audio not kept") == 9 * 2
    now = registry.load("encoders", "mini_class").version
    assert (
        f"Evaluators: mini_align 3, mini_class 1 (this package has {now}; what changed: "
        "`foleybench/encoders/mini_class.py`). They are not the tables' evaluators," in page
    )
    assert "Align Acc of this page do not compare with the tables'. Their weights: mini_class dddddddd, mini_a" in page
    against = page.split("## Against the test split")[1]
    assert "| faster tempo | Foley-Flow | **-0." in against
    assert "| faster tempo | Pasted grains | **" not in against
    assert "test (4 s" not in against
    rows = list(csv.DictReader(io.StringIO((tmp_path / "heldout.csv").read_text())))
    assert len(rows) == 9 * 3 * 5
    tested = [row for row in rows if row["less_test"]]
    assert Counter(row["sound"] for row in tested) == {"Foley-Flow": 8 * 3, "Pasted grains": 8 * 3}
    table = [row.rsplit(",", 1)[0] for row in (tmp_path / "heldout.csv").read_text().splitlines()[1:]]
    for counted, shown in ((["20/20", "40/40"], ["20/20", "40/40"]), (["60/60", "120/120"], ["audio not kept"] * 2)):
        whole = [f"{row},{counted[not row.startswith('...')]}" for row in table]
        (tmp_path / "heldout.csv").write_text("\n".join([",".join(rows[0]), *whole]) + "\n")
        assert write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c") == []
        again = (tmp_path / "heldout.md").read_text().splitlines()
        expected = [line.replace("audio not kept", shown[not line.startswith("| ...")]) for line in page.splitlines()]
        assert again == expected, "lengths stay that were counted of as many files"
    of_grains = [row for row in tested if (row["split"], row["sound"]) == ("faster tempo", "Pasted grains")]
    assert all(abs(float(row["less_test"])) < 0.1 for row in of_grains if row["metric"] == "event_f1_25ms")


def test_three_seeds_are_two_samples_drawn_towards_their_law(tmp_path, monkeypatch):
    """The network's seeds are; those of the baseline and the real audio have what they show."""
    monkeypatch.setattr(heldout_page, "samples_a_network", lambda entry: "full" in entry.row_name)
    setup, laws = made_splits(tmp_path, 3), {name: CommonLaw(0.04, 5.0, 28.0) for name in METRICS}
    assert heldout_page.write_heldout(setup, laws, tmp_path) == []
    page = (tmp_path / "heldout.md").read_text()
    assert "The reference model, 3 training seeds, trained" in page
    assert "95 % intervals over clips and seeds; the variance" in page
    assert "(over clips and seeds, Welch;" in page
    held = {entry.row_name: entry for entry in read_all(tmp_path / "heldout_results")}
    rows = list(csv.DictReader(io.StringIO((tmp_path / "heldout.csv").read_text())))
    for sound, name, told in (("Foley-Flow", "full", laws), ("Pasted grains", "pasted_grains", {})):
        of_tempo = Measured([held[f"heldout-tempo-{name}-tiny-seed{seed}"] for seed in range(3)], laws=told)
        of_test = Measured([held[f"heldout-test-{name}-tiny-seed{seed}"] for seed in range(3)], laws=told)
        (shown,) = (
            row
            for row in rows
            if (row["split"], row["sound"], row["metric"]) == ("faster tempo", sound, "event_f1_25ms")
        )
        expected = cell("event_f1_25ms", of_tempo)
        assert [float(shown[key]) for key in ("value", "low", "high")] == pytest.approx(expected[:3])
        assert float(shown["less_test"]) == pytest.approx(unpaired("event_f1_25ms", of_tempo, of_test).difference)
    for path in (tmp_path / "heldout_results").rglob("heldout-fps-pasted_grains-tiny-seed2*"):
        path.unlink()
    assert heldout_page.write_heldout(setup, laws, tmp_path) == ["heldout-fps-pasted_grains-tiny-seed2"]
    page = (tmp_path / "heldout.md").read_text()
    assert "2 training seeds (of 3 asked for: the others are not finished), trained" in page
    assert page.count("Pasted grains") == 9 + 8
    held["heldout-tempo-full-tiny-seed1"].result["run"]["encoders"]["mini_class"]["version"] = 7
    left = [entry for entry in held.values() if entry.path.is_file()]
    monkeypatch.setattr(heldout, "read_all", lambda folder: left)
    heldout_page.write_heldout(setup, laws, tmp_path)
    page = (tmp_path / "heldout.md").read_text()
    assert "mini_class 1 and 7 (this package" in page
    assert (
        "clips and seeds; the variance between seeds as in the tables (`foleybench/reproduce/measure.py`). A len"
        in page
    )
    held["heldout-tempo-full-tiny-seed1"].result["model"]["checkpoint_sha256"] = "d" * 64
    heldout_page.write_heldout(setup, laws, tmp_path)
    assert "measure.py`). Not all splits have the same weights" in (tmp_path / "heldout.md").read_text()


def test_the_law_is_that_of_the_tables(tmp_path):
    """Three kinds of networks tell one, and the intervals of the network's two seeds take it."""
    setup, intervals = made_splits(tmp_path, 2), []
    for kinds in ((), ("full", "vab", "vatt")):
        for kind in kinds:
            for seed in range(2):
                make_result(tmp_path / "results", f"{kind}-tiny-seed{seed}", skill=0.3 + 0.2 * seed, metrics=METRICS)
        write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c")
        rows = csv.DictReader(io.StringIO((tmp_path / "heldout.csv").read_text()))
        intervals.append([(row["low"], row["high"]) for row in rows if row["sound"] == "Foley-Flow"])
    assert intervals[0] != intervals[1]


def test_a_seed_without_the_test_split_is_not_shown(tmp_path):
    setup = made_splits(tmp_path, 2)
    lost = {"heldout-23s-full-tiny-seed0", "heldout-test-pasted_grains-tiny-seed1"}
    for name in lost:
        for path in (tmp_path / "heldout_results").rglob(f"{name}*"):
            path.unlink()
    assert set(write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c")) == lost
    page = (tmp_path / "heldout.md").read_text()
    assert "The reference model, 1 training seed (of 2 asked for: the others are not finished), trained" in page
    assert "| 23 s clips | Foley-Flow |" not in page


def test_lengths_of_all_seeds_are_counted_where_all_have_audio(tmp_path):
    setup = made_splits(tmp_path, 2)
    for seed in range(2):
        folder = setup.work / "audio" / "synthfoley" / "heldout_tempo" / f"heldout-tempo-full-tiny-seed{seed}"
        for index in range(40):
            sound = np.zeros(64000 + (seed == index == 1), dtype=np.float32)
            write_wav(folder / f"v{index // 2:04d}_{index:06d}.wav", sound, 16000)
        write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c")
        line = next(line for line in (tmp_path / "heldout.md").read_text().splitlines() if "tempo | Foley-Flow" in line)
        assert line.endswith("| 79/80, worst +1 |" if seed else "| audio not kept |")
    shutil.rmtree(setup.work / "audio")
    counted = (tmp_path / "heldout.csv").read_text()
    for before, shown in (("79/80", "79/80, worst +1"), ("39/40", "audio not kept")):
        (tmp_path / "heldout.csv").write_text(counted.replace("79/80", before))
        write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c")
        line = next(line for line in (tmp_path / "heldout.md").read_text().splitlines() if "tempo | Foley-Flow" in line)
        assert line.endswith(f"| {shown} |")


def test_counted_lengths_stay_where_some_clips_of_the_split_are_scored(tmp_path):
    """The rows of the test split are of the first 30 of its 40 clips."""
    setup = made_splits(tmp_path, 1)
    (old,) = heldout.results_folder(setup).glob("**/heldout-test-full-tiny-seed0.*.json")
    old.unlink()
    make_result(heldout.results_folder(setup), "heldout-test-full-tiny-seed0", metrics=METRICS, n_clips=30)
    write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c")
    made = (tmp_path / "heldout.csv").read_text().splitlines()
    for counted, shown in (("30/30", "30/30"), ("40/40", "audio not kept")):
        lines = [f"{line.rsplit(',', 1)[0]},{counted}" if "lengths_exact" not in line else line for line in made]
        (tmp_path / "heldout.csv").write_text("\n".join(lines) + "\n")
        write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c")
        line = next(one for one in (tmp_path / "heldout.md").read_text().splitlines() if "fps) | Foley-Flow" in one)
        assert line.endswith(f"| {shown} |")


def test_a_missing_system_is_named_and_the_page_waits_for_the_test_split(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", data=tmp_path / "data", seeds=1)
    make_result(tmp_path / "heldout_results", "heldout-test-full-tiny-seed0", metrics=METRICS)
    # Those of the tables are by other evaluators.
    make_result(tmp_path / "results", "pasted_grains-tiny-seed0", metrics=METRICS)
    missing = write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c")
    assert "heldout-test-full-tiny-seed0" not in missing
    assert "heldout-test-pasted_grains-tiny-seed0" in missing
    assert "heldout-tempo-pasted_grains-tiny-seed0" in missing
    assert not (tmp_path / "heldout.md").exists()


def test_lengths_of_heldout_sound_are_counted_to_the_sample(tmp_path):
    split = heldout.HeldoutSplit("fps", "", "heldout_fps", tmp_path)
    manifest = read_manifest(_manifest(split, fps=(24.0,)))
    ids = [entry.clip_id for entry in manifest.ok()]
    for index, clip_id in enumerate(ids):
        write_wav(tmp_path / "audio" / f"{clip_id}.wav", np.zeros(64000 + (index == 0), dtype=np.float32), 16000)
    assert _lengths(manifest, [tmp_path / "audio"], set(ids)) == f"{len(ids) - 1}/{len(ids)}, worst +1"
    assert _lengths(manifest, [tmp_path / "audio"], set(ids[1:])) == f"{len(ids) - 1}/{len(ids) - 1}"


def _manifest(split, fps):
    """Write a manifest of the clips that the made results are about."""
    path = heldout.manifest_of(split)
    rows = [
        Entry(
            clip_id=f"v{i // 2:04d}_{i:06d}",
            source="made",
            source_id=f"v{i // 2:04d}",
            label="hammer_bell",
            status="ok",
            shard="x-000000.tar",
            audio_sha256="0" * 64,
            video_sha256="0" * 64,
            facts={"duration_s": 4.0, "fps": fps[i % len(fps)], "rate_hz": 16000},
        )
        for i in range(40)
    ]
    header = Header(dataset="synthfoley", split=split.name, version=1, profile={}, tools={})
    write_manifest(path, header, rows)
    return path


def test_held_out_rows_that_stand_are_those_of_the_split_as_it_is(tmp_path):
    """A row of a split that is not at hand stands, and the split is made again, since the page needs its manifest."""
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", data=tmp_path / "data")
    steps = steps_of(setup, ["heldout"])
    of_splits = _scored(steps)
    assert len(of_splits) == 7 * (2 * 3 + 1)
    for split in heldout.splits(setup):
        if split.key != "23s":
            _manifest(split, fps=(25.0,))
    tempo = read_manifest(setup.data / "heldout_tempo.manifest.jsonl").sha256
    for name in of_splits:
        sha256 = tempo if name.startswith("heldout-tempo") else "e" * 64
        make_result(heldout.results_folder(setup), name, metrics=("class_accuracy",), manifest=sha256)
    make_result(heldout.results_folder(setup), "of-another-size", metrics=("class_accuracy",))
    standing = heldout.standing(setup)
    assert Counter(name.split("-")[1] for name in standing) == {"tempo": 2 * 3 + 1, "23s": 2 * 3 + 1}
    left = left_to_do(steps, standing, CONTROLS, heldout.needed_by_page(setup))
    assert _scored(left) == _scored(steps) - standing
    assert {"prepare-heldout-23s", "prepare-evaluator_splits", "train-evaluators"} <= {step.name for step in left}
    again = {step.name.removeprefix("eval-") for step in steps_of(setup, ["heldout"]) if step.again}
    assert again == of_splits - standing | {"train-evaluators"}, "marks of scores do not hold against what they made"
    every = left_to_do(steps, _scored(steps), CONTROLS, heldout.needed_by_page(setup))
    assert [step.name for step in every] == ["prepare-heldout-23s"]
    _manifest(next(split for split in heldout.splits(setup) if split.key == "23s"), fps=(25.0,))
    assert heldout.needed_by_page(setup) == set()


def test_the_command_leaves_out_what_stands(tmp_path, capsys):
    out, data = tmp_path / "out", tmp_path / "data"
    setup = Setup(work=tmp_path / "work", results=out / "results", seeds=1, data=data)
    names = _scored(steps_of(setup, ["heldout"]))
    for name in names - {"heldout-test-full-tiny-seed0"}:
        make_result(heldout.results_folder(setup), name, metrics=("class_accuracy",))
    asked = ["reproduce", "heldout", "--keep", "--dry-run", "--seeds", "1", "--data", str(data), "--out", str(out)]
    assert cli.main([*asked, "--work", str(setup.work)]) == 0
    lines = capsys.readouterr().out.splitlines()
    words = [line.split() for line in lines]
    assert [line[1:3] for line in words[:-1]] == [
        *(["train", "foleyflow"], ["train", "foleyflow"], ["prepare", "synthfoley"]),
        *(["prepare", "synthfoley"], ["prepare", "synthfoley"], ["train", "evaluators"]),
    ]
    assert words[-1][0] == f"FOLEYBENCH_EVALUATORS={setup.work / 'evaluators'}"
    assert "heldout-test-full-tiny-seed0" in words[-1]
    make_result(heldout.results_folder(setup), "heldout-test-full-tiny-seed0", metrics=("class_accuracy",))
    assert cli.main([*asked, "--work", str(setup.work)]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["prepare"]


def test_results_of_other_evaluators_are_not_on_the_page(tmp_path, scored_by):
    """Where the page's are at hand, theirs count; elsewhere those of most results, never the packaged ones'."""
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", data=tmp_path / "data", seeds=1)
    names = sorted(_scored(steps_of(setup, ["heldout"])))
    packaged = [file_sha256(shipped_mini(name).path) for name in ("mini_class", "mini_align")]
    ours = [b"a class net", b"a net of pairs"]
    hashes = [hashlib.sha256(one).hexdigest() for one in ours]
    of_evaluators = {
        "packaged": (packaged, names[:6]),
        "packaged in part": ([CLASSES, packaged[1]], names[6:10]),
        "of no pairs": ([CLASSES, None], names[10:14]),
        "ours": (hashes, names[14:16]),
        "others": ([CLASSES, PAIRS], names[16:19]),
        "of our classes": ([hashes[0], PAIRS], names[19:21]),
    }
    assert sorted(name for _, part in of_evaluators.values() for name in part) == names
    for evaluators, part in of_evaluators.values():
        scored_by(named(*evaluators))
        for name in part:
            make_result(heldout.results_folder(setup), name, metrics=("class_accuracy",))
    assert heldout.standing(setup) == set(names[16:19])
    folder = page_evaluators_folder(setup)
    write_atomically(folder / "mini_class.safetensors", ours[0])
    assert heldout.standing(setup) == set(names[16:19]), "one of two is not at hand"
    assert steps_of(setup, ["heldout"])[-1 - len(names)].again
    write_atomically(folder / "mini_align.safetensors", ours[1])
    assert heldout.standing(setup) == set(names[14:16])
    again = {step.name.removeprefix("eval-") for step in steps_of(setup, ["heldout"]) if step.again}
    assert again == set(names) - set(names[14:16])
    assert set(write_tables(setup, ["heldout"], tmp_path, PUBLISHED, "c")) == again


def test_of_equally_many_evaluators_those_of_the_smaller_hashes_count(tmp_path, scored_by):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", data=tmp_path / "data", seeds=1)
    names = sorted(_scored(steps_of(setup, ["heldout"])))[:4]
    for name, classes in zip(names, ("d" * 64, "c" * 64, "c" * 64, "d" * 64), strict=True):
        scored_by(named(classes))
        make_result(heldout.results_folder(setup), name, metrics=("class_accuracy",))
    assert heldout.standing(setup) == set(names[1:3])


def test_all_scores_are_by_evaluators_that_learn_from_other_draws(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1, clips=351)
    steps = {step.name: step for step in steps_of(setup, ["heldout"])}
    train = steps["train-evaluators"].words
    made = {name: steps[name].words for name in ("prepare-evaluator_splits", "prepare-evaluator_splits_2")}
    assert set(steps["train-evaluators"].after) == {"prepare", *made}
    folder = setup.work / "evaluators"
    assert train[train.index("--out") + 1] == str(folder)
    scores = [step for step in steps.values() if step.words[0] == "eval"]
    assert len(scores) == 7 * 3
    for step in scores:
        assert step.environment == (("FOLEYBENCH_EVALUATORS", str(folder)),)
        assert "train-evaluators" in step.after
        assert step.words[step.words.index("--out") + 1] == str(heldout.results_folder(setup))
        limited = "-test-" in step.name and "truth" not in step.name
        assert ("--limit" in step.words) == limited, "of the test split as many clips as the tables, of others all"
    parser = argparse.ArgumentParser()
    train_command.add_arguments(parser)
    also = parser.parse_args(train[1:]).also
    learned, drawn = [], []
    for words in made.values():
        told = {name: words[words.index(name) + 1] for name in ("--size", "--seconds", "--seed", "--out")}
        assert (told["--size"], told["--seconds"]) == ("base", "4")
        options = CorpusOptions(size="base", duration_s=4.0, seed=int(told["--seed"]))
        for split in words[words.index("--splits") + 1 : words.index("--out")]:
            drawn.append(Path(told["--out"]) / f"{split}.manifest.jsonl")
            learned += split_specs(split, options)
    assert also == drawn
    scored = [spec for split in SPLITS for spec in split_specs(split, CorpusOptions())]
    assert len(learned) == 4 * 513 == len({spec.source_id for spec in learned})
    assert {spec.source_id for spec in learned}.isdisjoint(spec.source_id for spec in scored)
    assert {spec.duration_s for spec in learned} == {4.0}


def test_a_reproduction_is_not_begun_with_evaluators_of_ones_own(tmp_path, monkeypatch, capsys):
    """They would score the tables."""
    words = ["reproduce", "table1", "--dry-run", "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    assert cli.main(words) == 0
    monkeypatch.setenv("FOLEYBENCH_EVALUATORS", str(tmp_path))
    assert cli.main(words) == EXIT_ERROR
    assert f"FOLEYBENCH_EVALUATORS is set to {tmp_path}; the tables are scored by the pack" in capsys.readouterr().err
    assert cli.main([*words, "--tables-only"]) == 0


def _scored(steps):
    return {step.name.removeprefix("eval-") for step in steps if step.words[0] == "eval"}
