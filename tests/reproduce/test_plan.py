"""The plan of a table: an order that works, commands that parse, shared runs made once."""

import dataclasses

import pytest

from foleybench import cli, registry
from foleybench.api.model import TrainContext
from foleybench.artefacts.entries import ResultEntry
from foleybench.commands.eval import CONTROLS
from foleybench.generation.folder import checkpoint_sha256
from foleybench.reproduce import speed
from foleybench.reproduce.build import steps_of
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.measure import read_results
from foleybench.reproduce.plan import Setup, is_on_all_clips, left_to_do, row_name, training_name
from tests.made_results import make_result

EVERY = [*GRIDS, "speed", "heldout"]


@pytest.fixture
def setup(tmp_path):
    return Setup(work=tmp_path / "work", results=tmp_path / "out" / "results", seeds=2)


@pytest.mark.parametrize("names", [[name] for name in EVERY] + [EVERY])
def test_every_step_comes_after_what_it_needs(setup, names):
    seen = set()
    for step in steps_of(setup, names):
        assert seen.issuperset(step.after), step.name
        assert step.name not in seen
        seen.add(step.name)


@pytest.mark.slow
def test_every_step_is_a_command_that_parses(setup):
    for step in steps_of(dataclasses.replace(setup, seeds=1), EVERY):
        _, args = cli._parse(step.words)
        assert hasattr(args, "run"), step.command


def test_tables_share_the_full_model(setup):
    for names in (["table4", "table5"], ["table2", "table4", "table5"]):
        words = [step.words for step in steps_of(setup, names)]
        assert sum("runs/full-tiny-seed1" in " ".join(one) and one[0] == "train" for one in words) == 1


def test_dcf_and_gdcf_share_their_alignment_stage(setup):
    steps = {step.name: step for step in steps_of(setup, ["table4"])}
    assert steps["full-tiny-seed0"].after == steps["linear-tiny-seed0"].after == ("alignment-tiny-seed0",)


def test_compared_systems_share_the_features_of_the_full_model_codecs_and_flow(setup):
    steps = {step.name: step for step in steps_of(setup, ["table1"])}
    assert steps["vab-tiny-seed1"].after == ("alignment-tiny-seed1", "codec-tiny-seed1")
    assert steps["codec-tiny-seed1"].after == steps["full-tiny-seed1"].after == ("alignment-tiny-seed1",)
    assert steps["specvqgan-tiny-seed0"].after == ("alignment-tiny-seed0", "codec_patches-tiny-seed0")
    words = " ".join(steps["seeing_hearing-tiny-seed0"].words)
    assert "runs/v2a_mapper-tiny-seed0/flow" in words
    assert "runs/alignment-tiny-seed0/alignment" in words
    for model in ("specvqgan", "im2wav", "v2a_mapper", "diff_foley", "foleygen", "maskvat", "vatt", "nearest"):
        assert "alignment=" in " ".join(steps[f"{model}-tiny-seed0"].words)
    assert {word for step in steps.values() for word in step.words if "stage1=" in word} == {"stage1=vama"}
    for codec in ("codec", "codec_patches", "codec_two_rates"):
        assert "stage=codec" in steps[f"{codec}-tiny-seed0"].words


def test_controls_and_oracle_are_scored_once_for_all_tables_that_show_them(setup):
    steps = [step.words for step in steps_of(setup, ["table1", "table4"])]
    assert sum("--controls" in words for words in steps) == 1
    assert sum(words[:3] == ("eval", "--model", "oracle") for words in steps) == 1
    assert not any("oracle" in step.words for step in steps_of(setup, ["table4"]))


def test_another_guidance_samples_the_same_network_under_another_name(setup):
    steps = {step.name: step for step in steps_of(setup, ["table1", "switches"])}
    own, other = (steps[f"eval-v2a_mapper-tiny{taken}-seed1"] for taken in ("", "-guidance1.25"))
    assert own.after == other.after == ("v2a_mapper-tiny-seed1",)
    assert "--guidance" not in own.words
    assert other.words[other.words.index("--guidance") + 1] == "1.25"
    assert other.words[other.words.index("--name") + 1] == "v2a_mapper-tiny-guidance1.25-seed1"


@pytest.mark.parametrize(("name", "model"), [("condition_rate", "specvqgan"), ("visual_mask", "foleygen")])
def test_small_tables_change_one_setting_of_a_row_of_table_1(setup, name, model):
    steps = {step.name: step for step in steps_of(setup, [name])}
    settings = {}
    for row in GRIDS[name].rows:
        words = steps[training_name(setup, row.variant, 0)].words
        sets = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "--set")
        settings[row.variant.name] = {key: value for key, value in sets.items() if key != "codec"}
    kept = settings.pop(model)
    assert len(settings) == 2
    for found in settings.values():
        assert kept.items() <= found.items()
        assert len(found) == len(kept) + 1
    assert len({tuple(found.items()) for found in settings.values()}) == 2


def test_the_ladder_scores_a_part_of_a_run(setup):
    steps = {step.name: step for step in steps_of(dataclasses.replace(setup, nfe=4), ["table1"])}
    for name, run in (("codec", "codec-tiny-seed1"), ("codec_patches", "codec_patches-tiny-seed1")):
        step = steps[f"eval-codec-of-{name}-tiny-nfe4-seed1"]
        assert step.after == (run,)
        assert step.words[:5] == ("eval", "--model", "codec", "--checkpoint", str(setup.work / "runs" / run / "codec"))
        assert "--nfe" not in step.words


def test_only_networks_are_given_a_number_of_evaluations(setup):
    steps = {step.name: step for step in steps_of(dataclasses.replace(setup, nfe=4), ["table1"])}
    counted = {name for name, step in steps.items() if "--nfe" in step.words and name.endswith("seed0")}
    assert "eval-vab-tiny-nfe4-seed0" in counted
    assert not any(
        model in name
        for name in counted
        for model in ("nearest", "pasted", "babble", "foleygen", "im2wav", "specvqgan")
    )


def test_a_part_of_the_clips_is_the_same_for_every_row(setup):
    for step in steps_of(dataclasses.replace(setup, clips=54), ["table1"]):
        if step.words[0] == "eval":
            assert step.words[step.words.index("--limit") + 1] == "54", step.name
        else:
            assert "--limit" not in step.words, step.name


@pytest.mark.parametrize(
    "row",
    [row for name in ("table1", "condition_rate", "visual_mask", "switches") for row in GRIDS[name].rows],
    ids=lambda row: row.label,
)
def test_what_a_run_takes_is_an_option_of_its_system(row, tmp_path):
    """A part is named by the option that takes it: a wrong name would train the part anew, unseen."""
    variant = row.variant
    system = getattr(registry.module("models", variant.model), "SYSTEM", None)
    if system is None:
        pytest.skip("is no system of parts")
    context = TrainContext(data=tmp_path, val=None, out=tmp_path, settings={name: "x" for name in variant.takes})
    _, options = system.resolve(context)
    assert all(getattr(options, name) == "x" for name in variant.takes)
    assert set(variant.takes) <= {part.name for part in system.parts}


def test_a_switch_changes_what_its_name_says_and_nothing_else(setup):
    steps = {step.name: step for step in steps_of(setup, ["switches"])}
    table_1 = {row.variant.name for row in GRIDS["table1"].rows}
    found = {}
    for row in GRIDS["switches"].rows:
        variant = row.variant
        if variant.name in table_1:
            continue
        own = {row.variant.model: row.variant for row in GRIDS["table1"].rows if row.variant}
        base = own[variant.model.removesuffix("_true_captions")]
        settings = {key: value for key, value in variant.settings.items() if base.settings.get(key) != value}
        takes = {key: taken.name for key, taken in variant.takes.items() if base.takes.get(key) != taken}
        found[variant.name] = settings, takes
    judged = {"judge": "diff_foley", "diffusion": "diff_foley"}
    assert found == {
        "full-no_plan": ({}, {"alignment": "alignment-no_plan"}),
        "maskvat-no_plan": ({}, {"alignment": "alignment-no_plan"}),
        "vatt-no_plan": ({}, {"alignment": "alignment-no_plan"}),
        "diff_foley-whole": ({"net_crop_s": "4"}, {}),
        "vab-whole": ({"net_crop_s": "4"}, {}),
        "vatt-whole": ({"net_crop_s": "4"}, {}),
        "diff_foley-no_judge": ({"judge_guidance": "0"}, judged),
        "diff_foley-cavp": ({"stage1": "cavp"}, {"alignment": "alignment-stage1=cavp"}),
        "v2a_mapper-regression": ({"mapper": "regression"}, {"sound_text": "v2a_mapper", "flow": "v2a_mapper"}),
        "vatt-predicted": ({"text": "predicted"}, {}),
        "vatt_true_captions": ({}, {}),
    }
    dropped = steps["alignment-no_plan-tiny-seed0"]
    assert dropped.after == ("alignment-tiny-seed0",)
    assert "audio_plan=dropped" in dropped.words
    assert f"alignment={setup.work / 'runs/alignment-tiny-seed0/alignment'}" in dropped.words


def test_a_part_was_trained_where_it_comes_from_in_the_end():
    rows = {row.variant.name: row.variant for row in GRIDS["switches"].rows}
    assert rows["full-no_plan"].takes["alignment"].name == "alignment-no_plan", "which trains nothing"
    assert rows["full-no_plan"].trainer_of("alignment").name == "alignment"
    assert rows["maskvat-no_plan"].trainer_of("codec").name == "codec"
    assert rows["full-no_plan"].trainer_of("flow").name == "full-no_plan"


def test_nothing_of_one_setup_is_taken_for_another(setup):
    row = GRIDS["table4"].rows[0]
    others = [
        dataclasses.replace(setup, steps=5),
        dataclasses.replace(setup, nfe=1),
        dataclasses.replace(setup, clips=54),
        dataclasses.replace(setup, size="base"),
    ]
    names = {row_name(one, row, seed) for one in [setup, *others] for seed in (0, 1)}
    assert len(names) == 10


@pytest.mark.parametrize(
    ("clips", "n_asked", "n_usable", "same"),
    [(None, 40, 40, True), (None, 20, 40, False), (20, 20, 40, True), (20, 40, 40, False), (50, 40, 40, True)],
)
def test_a_result_of_more_or_fewer_clips_is_not_of_the_rows(setup, clips, n_asked, n_usable, same):
    """A clip that was asked for and could not be scored changes nothing; nor does a limit above what there is."""
    result = {
        "dataset": {"n_clips": n_usable, "n_scored": n_asked - 1},
        "metrics": {"event_f1": {"n_asked": n_asked}},
    }
    entry = ResultEntry(setup.work, "ground_truth", result)
    assert is_on_all_clips(dataclasses.replace(setup, clips=clips), entry) == same


def test_rows_of_the_paper_are_all_there():
    from pathlib import Path

    from foleybench.artefacts.published import read_published, tables

    published = {table.number: table for table in tables(read_published(Path("leaderboards/published.csv")))}
    for name, grid in GRIDS.items():
        if not grid.number:
            assert not any(row.reported for row in grid.rows), name
            continue
        ours = {row.reported for row in grid.rows if row.reported}
        assert ours == {label for label, _ in published[grid.number].rows}, name


def scored(steps):
    return {step.name.removeprefix("eval-") for step in steps if step.words[0] == "eval"}


def test_rows_that_stand_are_not_made_again_nor_what_only_they_need(setup):
    steps = steps_of(dataclasses.replace(setup, data=setup.work), ["table1"])
    first = {name for name in scored(steps) if name.endswith("seed0")} | {"oracle", *CONTROLS}
    left = left_to_do(steps, first, CONTROLS)
    assert scored(left) == scored(steps) - first - {"controls"}
    assert {step.name.rpartition("-")[2] for step in left} == {"seed1"}
    names = {
        step.name for step in left_to_do(steps, scored(steps) - {"specvqgan-tiny-seed0"} | set(CONTROLS), CONTROLS)
    }
    needed = {f"{name}-tiny-seed0" for name in ("alignment", "codec_patches", "specvqgan", "eval-specvqgan")}
    assert names == needed
    assert left_to_do(steps, scored(steps) | set(CONTROLS), CONTROLS) == []
    assert left_to_do(steps, set(), CONTROLS) == steps


def test_scores_of_speed_wait_for_all_trainings_and_for_each_other(setup):
    """Whatever is left of the plan: none is timed while another step of it computes."""
    steps = steps_of(setup, ["speed"])
    trainings = {step.name for step in steps if step.words[0] == "train"}
    scores = [step for step in steps if step.words[0] == "eval"]
    assert len(scores) == 2 * 7
    for number, step in enumerate(scores):
        assert set(step.behind) == {"prepare", *trainings, *(one.name for one in scores[:number])}
        (run,) = step.after
        seed = step.name.partition("-seed")[2][0]
        assert step.words[step.words.index("--seed") + 1] == seed
        assert step.words[step.words.index("--checkpoint") + 1].endswith(f"runs/{run}")
        assert run.startswith(f"full-tiny-seed{seed}")
        assert run.endswith(step.name.partition("-head-")[2])
    for step in steps:
        if step.name.endswith(("-imf", "-reflow")) and step.words[0] == "train":
            assert step.words[step.words.index("--seed") + 1] == step.name.partition("-seed")[2][0]


def test_scores_of_speed_that_stand_bring_nothing_back(setup):
    steps = steps_of(dataclasses.replace(setup, data=setup.work), ["speed"])
    last = [step for step in steps if step.words[0] == "eval"][-1]
    left = left_to_do(steps, scored(steps) - {last.name.removeprefix("eval-")}, CONTROLS)
    assert {step.name for step in left} == {
        *("alignment-tiny-seed1", "full-tiny-seed1", "full-tiny-seed1-reflow", last.name)
    }


def test_held_out_scores_are_of_their_own_seed(setup):
    steps = [step for step in steps_of(setup, ["heldout"]) if step.name.startswith("eval-heldout-")]
    of_systems = [step for step in steps if "--checkpoint" in step.words]
    assert len(of_systems) == 2 * 2 * 7
    assert len(steps) == len(of_systems) + 7
    for step in of_systems:
        seed = step.name[-1]
        assert step.words[step.words.index("--seed") + 1] == seed
        assert step.words[step.words.index("--checkpoint") + 1].endswith(f"-tiny-seed{seed}")
        assert any(name.endswith(f"-tiny-seed{seed}") for name in step.after)


def test_rows_of_another_run_do_not_stand(setup):
    """Of seed 0 all rows are there; of seed 1 the head is missing, and the others are of a run that is not."""
    steps = steps_of(setup, ["speed"])
    names = sorted(scored(steps))
    for name in names:
        make_result(setup.results, name, metrics=("class_accuracy",))
    whole = read_results(setup.results)
    assert speed.of_other_runs(setup, whole) == set()
    missing = next(name for name in names if "seed1" in name and name.endswith("imf"))
    rest = {name: entry for name, entry in whole.items() if name != missing}
    others = {name for name in names if "seed1" in name} - {missing}
    assert speed.of_other_runs(setup, rest) == others
    run = setup.work / "runs" / "full-tiny-seed1"
    run.mkdir(parents=True)
    (run / "model.safetensors").write_bytes(b"weights")
    for entry in rest.values():
        entry.result["model"]["checkpoint_sha256"] = checkpoint_sha256(run)
    assert speed.of_other_runs(setup, rest) == set()
    heads_alone = {name: entry for name, entry in rest.items() if "seed0" in name or "head" in name}
    assert speed.of_other_runs(setup, heads_alone) == {name for name in others if "head" in name}


def test_a_control_without_a_result_is_made_again_with_the_others(setup):
    steps = steps_of(setup, ["table1"])
    left = left_to_do(steps, scored(steps) | set(CONTROLS) - {"silence"}, CONTROLS)
    assert [step.name for step in left] == ["prepare", "eval-controls"]
