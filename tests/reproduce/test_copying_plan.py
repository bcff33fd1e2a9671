"""The plan of the copying shares: for which rows, after what, and what to do where the audio is gone."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from foleybench import cli
from foleybench.evaluators.copying.build import index_of, packed_index
from foleybench.files import write_atomically
from foleybench.reproduce.build import steps_of
from foleybench.reproduce.copying_plan import audio_of, copying_plan
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import Setup, left_to_do, row_name
from foleybench.runtime.command_plan import mark_of
from foleybench.shards.manifest import read_manifest
from tests.made_results import make_result

GRID = GRIDS["table1"]
MANIFESTS = Path(__file__).parents[2] / "shards/synthfoley"
ROWS = {row.label: row for row in GRID.rows}


@pytest.fixture
def setup(tmp_path):
    return Setup(work=tmp_path / "work", results=tmp_path / "out" / "results", seeds=2, clips=20)


@pytest.fixture
def grains(setup):
    return row_name(setup, ROWS["Pasted grains"], 0)


def score(setup, row, **facts):
    make_result(setup.results, row, n_clips=40, **facts)


def share(setup, row, **facts):
    made = {"n_clips": 20, "n_usable": 40, "metrics": ("copying_share",), **facts}
    make_result(setup.results.parent / "copying", row, **made)


def make_audio(setup, row):
    write_atomically(audio_of(setup, row) / "generation.json", b"{}")


def mark(setup, step):
    write_atomically(mark_of(setup.work, step.name), step.command.encode())


def of_row(setup, row, *, with_score=False):
    """Return the plan of a table of that row alone, whose score is planned or was kept."""
    grid = dataclasses.replace(GRID, rows=(ROWS["Pasted grains"],), ladder=(), controls=False)
    alone = dataclasses.replace(setup, seeds=1)
    planned = ("prepare", f"eval-{row}") if with_score else ()
    todo = [step for step in steps_of(alone, ["table1"]) if step.name in planned]
    return copying_plan(alone, [grid], todo)


def test_every_row_and_seed_and_the_true_sound_are_searched_after_their_audio_and_the_index(setup):
    todo = steps_of(setup, ["table1"])
    found = copying_plan(setup, [GRID], todo)
    index, *scores = found.steps
    assert index.after == ("prepare",)
    assert index.words[:2] == ("train", "copying-index")
    rows = [row_name(setup, row, seed) for seed in (0, 1) for row in GRID.rows if row.variant]
    assert [step.name for step in scores] == [f"copying-{row}" for row in [*rows, "ground_truth"]]
    made_by = {**{row: f"eval-{row}" for row in rows}, "ground_truth": "eval-controls"}
    assert [step.after for step in scores] == [("copying-index", making) for making in made_by.values()]
    assert {step.name for step in todo}.issuperset(made_by.values())
    assert found.lost == []


def test_the_scores_read_the_audio_and_the_index_and_write_beside_the_table(setup, grains):
    index, score = of_row(setup, grains, with_score=True).steps
    out = index.words[index.words.index("--out") + 1]
    assert score.environment == (("FOLEYBENCH_WEIGHTS", out),)
    assert score.command.startswith(f"FOLEYBENCH_WEIGHTS={out} foleybench eval --audio ")
    _, args = cli._parse(score.words)
    assert args.audio == setup.work / "audio" / "synthfoley" / "test" / grains
    assert (args.name, args.metric, args.out) == (grains, ["copying_share"], setup.results.parent / "copying")
    _, args = cli._parse(index.words)
    assert (args.data, args.val) == (setup.manifest("train"), setup.manifest("val"))


@pytest.mark.parametrize(("clips", "searched"), [(None, "108"), (351, "108"), (54, "54")])
def test_the_first_clips_are_searched(setup, grains, clips, searched):
    setup = dataclasses.replace(setup, clips=clips)
    words = of_row(setup, row_name(setup, ROWS["Pasted grains"], 0), with_score=True).steps[-1].words
    assert words[words.index("--limit") + 1] == searched


def test_a_table_that_shows_no_copying_has_no_such_steps(setup):
    assert copying_plan(setup, [GRIDS["table4"]], steps_of(setup, ["table4"])) == ([], [])


def test_a_share_that_stands_is_not_made_again(setup, grains):
    score(setup, grains)
    share(setup, grains)
    make_audio(setup, grains)
    assert of_row(setup, grains) == ([], [])


@pytest.mark.parametrize(
    "changed",
    [{"section": {"checkpoint_sha256": "d" * 64}}, {"manifest": "b" * 64}, {"n_clips": 19}, {"n_clips": 21}],
)
def test_a_share_of_other_weights_clips_or_fewer_is_made_again_from_the_audio(setup, grains, changed):
    score(setup, grains)
    share(setup, grains, **changed)
    make_audio(setup, grains)
    found = of_row(setup, grains)
    assert [(step.name, step.after) for step in found.steps] == [
        ("prepare", ()),
        ("copying-index", ("prepare",)),
        (f"copying-{grains}", ("copying-index",)),
    ]
    assert found.steps[-1].again
    assert found.lost == []


def test_the_version_of_the_metric_counts(setup, grains):
    score(setup, grains)
    share(setup, grains, changes={"copying_share": {"version": 7}})
    make_audio(setup, grains)
    assert of_row(setup, grains).steps


def test_a_prepared_corpus_is_not_prepared(setup, grains, tmp_path):
    score(setup, grains)
    make_audio(setup, grains)
    found = of_row(dataclasses.replace(setup, data=tmp_path), grains)
    assert [(step.name, step.after) for step in found.steps] == [
        ("copying-index", ()),
        (f"copying-{grains}", ("copying-index",)),
    ]


def test_a_share_without_some_clips_or_of_a_small_test_split_stands(setup, grains):
    """A clip without audio is lost in every search, and a split of 40 clips has no 108."""
    score(setup, grains)
    share(setup, grains, n_scored=19)
    make_audio(setup, grains)
    assert of_row(setup, grains) == ([], [])
    whole = dataclasses.replace(setup, clips=None)
    row = row_name(whole, ROWS["Pasted grains"], 0)
    score(whole, row)
    make_audio(whole, row)
    share(whole, row)
    assert of_row(whole, row).steps
    share(whole, row, n_clips=40)
    assert of_row(whole, row) == ([], [])


def test_a_share_of_the_first_108_clips_of_more_stands(setup):
    more = dataclasses.replace(setup, clips=351)
    row = row_name(more, ROWS["Pasted grains"], 0)
    score(more, row)
    make_audio(more, row)
    share(more, row, n_clips=108, n_usable=400)
    assert of_row(more, row) == ([], [])


def test_the_index_is_made_again_where_its_file_is_gone_or_of_another_train_split(setup, grains):
    """The split may be gone while its index is there: then nothing tells them apart, and nothing could be made."""
    assert of_row(setup, grains, with_score=True).steps[0].again
    path, train = setup.work / "copying" / "training_audio.safetensors", setup.manifest("train")
    write_atomically(path, b"")
    assert not of_row(setup, grains, with_score=True).steps[0].again
    train.parent.mkdir(parents=True)
    shutil.copy(MANIFESTS / "heldout_fps.manifest.jsonl", train)
    assert of_row(setup, grains, with_score=True).steps[0].again
    index = index_of([np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)], np.random.default_rng(0))
    write_atomically(path, packed_index(index, {}))
    assert of_row(setup, grains, with_score=True).steps[0].again
    write_atomically(path, packed_index(index, {"data": {"manifest_sha256": read_manifest(train).sha256}}))
    assert not of_row(setup, grains, with_score=True).steps[0].again
    shutil.copy(MANIFESTS / "heldout_tempo.manifest.jsonl", train)
    assert of_row(setup, grains, with_score=True).steps[0].again


def test_a_row_that_is_scored_anew_is_searched_anew(setup, grains):
    """Its share is of the audio before."""
    score(setup, grains)
    share(setup, grains)
    make_audio(setup, grains)
    found = of_row(setup, grains, with_score=True)
    assert found.steps[-1].after == ("copying-index", f"eval-{grains}")


def test_a_kept_row_without_audio_is_named_with_what_to_do(setup, grains):
    score(setup, grains)
    found = of_row(setup, grains)
    assert found.steps == []
    (text,) = found.lost
    assert f"no copying share of {grains}: its audio is not in {setup.work / 'audio'}" in text
    assert f"delete its file in {setup.results}" in text
    assert text.endswith("with --keep.")


def test_a_scored_row_whose_audio_was_removed_is_named_with_what_to_do(setup, grains):
    """Its mark says that it is done, so the plan would wait for audio that nobody makes."""
    step = next(one for one in steps_of(setup, ["table1"]) if one.name == f"eval-{grains}")
    mark(setup, step)
    score(setup, grains)
    found = of_row(setup, grains, with_score=True)
    assert found.steps == []
    (text,) = found.lost
    assert f"delete {setup.work / 'done' / 'eval-ROW'} and run again" in text
    make_audio(setup, grains)
    found = of_row(setup, grains, with_score=True)
    assert found.steps[-1].after == ("copying-index",)
    assert found.lost == []


def test_whole_rows_that_are_kept_leave_only_their_shares(setup, grains):
    """A share never asks for the training of a row that stands."""
    steps = steps_of(setup, ["table1"])
    for row in ("ground_truth", grains):
        score(setup, row)
    make_audio(setup, grains)
    todo = left_to_do(steps, {grains}, ())
    found = copying_plan(setup, [GRID], todo)
    names = {step.name for step in [*todo, *found.steps]}
    assert f"copying-{grains}" in names
    assert f"eval-{grains}" not in names
    assert all(names.issuperset(step.after) for step in [*todo, *found.steps])
