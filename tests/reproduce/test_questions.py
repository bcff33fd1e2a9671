"""What the rows of a table are trained with, by hand: alike but for what the table asks."""

import dataclasses
from pathlib import Path

import pytest

from foleybench import registry
from foleybench.api.model import TrainContext
from foleybench.reproduce.build import steps_of
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import Setup, row_name, training_name
from foleymodels._parts.settings import flat
from foleymodels.foleyflow.settings import resolve_foleyflow

SETUP = Setup(work=Path("w"), results=Path("r"), seeds=1, steps=600)


def trained_with(steps, name):
    """Return the settings of a planned training run, and those of the alignment run that it takes."""
    words = steps[name].words
    sets = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "--set")
    taken = sets.pop("alignment", "")
    asked = int(words[words.index("--steps") + 1])
    context = TrainContext(data=Path("d"), val=None, out=Path("o"), size="tiny", settings=sets, steps=asked)
    stage = trained_with(steps, taken.split("/")[2])[0] if taken else None
    return resolve_foleyflow(context)[0], stage


def rows_of(table, setup=SETUP):
    """Return label -> (settings of the row's run, of its alignment run or None)."""
    steps = {step.name: step for step in steps_of(setup, [table])}
    return {row.label: trained_with(steps, training_name(setup, row.variant, 0)) for row in GRIDS[table].rows}


def budget(settings, stage):
    """Return what each network is trained with: steps, rate, seconds that the network of conditions sees."""
    if stage is None:
        assert settings.end_to_end
        steps, context_s = settings.joint_steps, settings.signal.window_s
        return [("joint", steps, settings.alignment.vama_rate, settings.flow.flow_rate, context_s)]
    alignment, flow = stage.alignment, settings.flow
    return [
        ("alignment", alignment.vama_steps, alignment.vama_rate, alignment.vama_crop_s),
        ("flow", flow.flow_steps, flow.flow_rate, settings.signal.window_s),
    ]


def test_table_2_gives_every_row_the_same_steps_rates_and_context():
    two = [("alignment", 600, 3e-3, 4.0), ("flow", 600, 2e-3, 4.0)]
    one = [("joint", 1200, 3e-3, 2e-3, 4.0)]
    rows = rows_of("table2")
    assert {label: budget(*found) for label, found in rows.items()} == {
        "VAMA no, GVAF no": one,
        "VAMA yes, GVAF no": two,
        "VAMA no, GVAF yes": one,
        "VAMA yes, GVAF yes": two,
    }
    asked = {label: (s.flow.condition, s.flow.path, s.flow.times) for label, (s, _) in rows.items()}
    assert asked == {
        "VAMA no, GVAF no": ("static", "linear", "matched"),
        "VAMA yes, GVAF no": ("static", "linear", "matched"),
        "VAMA no, GVAF yes": ("dynamic", "gvp", "matched"),
        "VAMA yes, GVAF yes": ("dynamic", "gvp", "matched"),
    }


def test_table_2_at_the_size_of_its_own():
    rows = rows_of("table2", dataclasses.replace(SETUP, steps=900))
    assert budget(*rows["VAMA no, GVAF yes"])[0][1] == 1800


# Settings that differ between some rows of a table: what it asks, and nothing else.
ASKED = {
    "table2": {"stage1", "condition", "path"},
    "table3": {"video_encoder", "audio_target"},
    "table4": {"path", "times"},
    "table5": {"mask_ratio", "full_mask_p"},
}


@pytest.mark.parametrize("table", ASKED)
def test_rows_of_a_table_differ_in_what_it_asks_alone(table):
    values = [flat(settings) for settings, _ in rows_of(table).values()]
    assert {name for name in values[0] if len({one[name] for one in values}) > 1} == ASKED[table]


@pytest.mark.parametrize("table", ["table3", "table4", "table5"])
def test_an_alignment_run_has_the_settings_of_the_run_that_takes_it(table):
    for settings, stage in rows_of(table).values():
        assert stage.alignment == settings.alignment
        assert stage.signal == settings.signal


def test_table_4_asks_at_matched_noise_levels_and_as_the_paths_come():
    found = {label: (s.flow.path, s.flow.times) for label, (s, _) in rows_of("table4").items()}
    assert found == {
        "DCF": ("linear", "matched"),
        "GDCF": ("gvp", "matched"),
        "DCF, raw times": ("linear", "raw"),
        "GDCF, raw times": ("gvp", "raw"),
    }


def test_table_5_masks_the_ratio_that_it_names_by_eq_4_alone():
    """The mean share masked: p + (1 - p) ratio, which is the ratio itself without whole masks."""
    rows = rows_of("table5")
    shares = {}
    for label, (_, stage) in rows.items():
        a = stage.alignment
        assert (a.change_weight, a.level_weight, a.attack_weight, a.stage1) == (0.0, 0.0, 0.0, "vama")
        shares[label] = round(a.full_mask_p + (1 - a.full_mask_p) * a.mask_ratio, 3)
    whole = "half of the examples masked whole"
    assert shares == {
        **{f"ratio {ratio}": float(ratio) for ratio in ("0.3", "0.5", "0.7", "0.8", "0.9")},
        f"ratio 0.3, {whole}": 0.65,
        f"ratio 0.5, {whole}": 0.75,
        f"ratio 0.7, {whole}": 0.85,
        f"ratio 0.8, {whole}": 0.9,
        f"ratio 0.9, {whole}": 0.95,
    }


def test_no_two_rows_of_a_block_share_a_name():
    for name, grid in GRIDS.items():
        names = [(row.block, row_name(SETUP, row, 0)) for row in grid.rows if row.variant]
        assert len(set(names)) == len(names), name


def test_rows_that_see_labels_or_captions_and_those_sampled_again_are_in_no_ranking():
    for grid in GRIDS.values():
        again = [row.variant for row in grid.rows if row.guidance is not None]
        for row in grid.rows:
            sees = row.variant is not None and row.variant.settings.get("video_encoder") == "image_label"
            told = row.variant is not None and registry.load("models", row.variant.model).kind == "oracle"
            assert bool(row.unranked) == (sees or told or (row.variant in again and row.guidance is None))
    assert sum(bool(row.unranked) for row in GRIDS["table3"].rows) == 2


def test_the_papers_rows_of_a_table_are_in_one_block():
    for grid in GRIDS.values():
        assert len({row.block for row in grid.rows if row.reported}) == bool(grid.number)
