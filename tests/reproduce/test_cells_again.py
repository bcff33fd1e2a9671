"""Cells of the committed tables by a second path: from the clip tables, with nothing of ours but file names."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

HOME = Path(__file__).parents[2] / "leaderboards/reproduce"
NOT_TABLES = ("heldout.csv", "search.csv", "speed.csv")  # other columns, other folders of results
TABLES = sorted(
    path.name
    for path in HOME.glob("*.csv")
    if path.name not in NOT_TABLES and not path.stem.endswith(("curves", "training", "codebooks", "times"))
)
# The first of the tolerances 25, 50, 100 ... ms, as the card of event F1 has them.
_AT_25_MS = 0
# Table and row -> names of its results, but for seed and hash.
ROWS = {
    ("table1.csv", "Foley-Flow (ours, this corpus and size)"): "full-tiny-clips351",
    ("table1.csv", "MaskVAT core"): "maskvat-tiny-clips351-guidance5",
    ("table1.csv", "V2A-Mapper core"): "v2a_mapper-tiny-clips351-guidance1.25",
    ("table1.csv", "Nearest training clip"): "nearest-tiny-clips351",
    ("table2.csv", "VAMA no, GVAF no"): "none-static-linear-tiny-clips351",
    ("table2.csv", "VAMA yes, GVAF no"): "static-linear-tiny-clips351",
    ("table2.csv", "VAMA no, GVAF yes"): "none-tiny-clips351",
    ("table3.csv", "ImageBind-like video, ImageBind-like audio"): "av_contrast-av_contrast-tiny-clips351",
    ("table3.csv", "MAE-like video, ImageBind-like audio"): "mae-av_contrast-tiny-clips351",
    ("table3.csv", "ImageBind-like video, AudioMAE-like audio"): "av_contrast-audio_mae-tiny-clips351",
    ("table4.csv", "DCF"): "linear-tiny-clips351",
    ("table4.csv", "DCF, raw times"): "linear-raw-tiny-clips351",
    ("table4.csv", "GDCF, raw times"): "gvp-raw-tiny-clips351",
    ("table5.csv", "ratio 0.3"): "mask_0.3_whole_0-tiny-clips351",
    ("table5.csv", "ratio 0.5"): "mask_0.5_whole_0-tiny-clips351",
    ("table5.csv", "ratio 0.9"): "mask_0.9_whole_0-tiny-clips351",
    ("table5.csv", "ratio 0.8, half of the examples masked whole"): "mask_0.8_whole_0.5-tiny-clips351",
    ("condition_rate.csv", "SpecVQGAN core, one feature"): "specvqgan-n_features-1-tiny-clips351",
    ("visual_mask.csv", "FoleyGen core, frame by frame"): "foleygen-visual_mask-frame-tiny-clips351",
    ("switches.csv", "MaskVAT core, video feature alone"): "maskvat-no_plan-tiny-clips351-guidance5",
}
# System and try -> name of its result, but for hash.
TRIES = {
    ("Foley-Flow (ours, this corpus and size)", "default"): "val-full-tiny-clips108-seed0",
    ("Im2Wav core", "rate x 2"): "val-im2wav-rate_x2-tiny-clips108-seed0",
    ("V2A-Mapper core", "guidance 1.25"): "val-v2a_mapper-tiny-clips108-seed0-guidance1.25",
}
# Evaluations and head of the page of speed -> name of its results, but for seed and hash.
SPEEDS = {
    ("1", ""): "speed-full-tiny-clips351-seed{seed}-evaluations1",
    ("25", ""): "speed-full-tiny-clips351-seed{seed}-evaluations25",
    ("1", "reflow"): "speed-full-tiny-clips351-seed{seed}-head-reflow",
}
# Split and sound of the held-out page -> name of its results, but for seed and hash.
HELD_OUT = {
    ("test (4 s, 25 fps)", "Foley-Flow"): "heldout-test-full-tiny-clips351-seed{seed}",
    ("new combinations of material and motion", "Foley-Flow"): "heldout-material-full-tiny-clips351-seed{seed}",
    ("faster tempo", "real audio"): "heldout-tempo-truth",
    ("other frame rates", "Foley-Flow"): "heldout-fps-full-tiny-clips351-seed{seed}",
    ("10 s clips", "Pasted grains"): "heldout-long-pasted_grains-tiny-clips351-seed{seed}",
    ("23 s clips", "Pasted grains"): "heldout-23s-pasted_grains-tiny-clips351-seed{seed}",
    ("counterfactual pairs", "Foley-Flow"): "heldout-counterfactual-full-tiny-clips351-seed{seed}",
}


def line_of(table, **wanted):
    """Return the one line of a table with these values."""
    with (HOME / table).open(encoding="utf-8", newline="") as file:
        (line,) = (one for one in csv.DictReader(file) if wanted.items() <= one.items())
    return line


def clips(name, metric, folder="results"):
    """Return the statistics of a metric's clips; it has none for a clip without events."""
    paths = (HOME / folder / "synthfoley").glob(f"{name}.*.clips.jsonl.gz")
    (path,) = (path for path in paths if path.name[len(name) + 1 :].count(".") == 3)  # a hash and three endings
    with gzip.open(path, "rt") as file:
        found = [json.loads(line)["stats"][metric] for line in file]
    return [one for one in found if one is not None]


def event_f1(stats):
    found = sum(one["tp"][_AT_25_MS] for one in stats)
    made = sum(one["n_generated"][_AT_25_MS] for one in stats)
    return 2 * found / (made + sum(one["n_reference"] for one in stats))


def class_accuracy(stats):
    return sum(one["hit"] for one in stats) / len(stats)


def divergence(stats):
    return sum(one["kl"] for one in stats) / len(stats)


def frechet(stats):
    """With the square root of the product of covariances, as its definition has it."""
    real, made = (np.concatenate([one[side] for one in stats]) for side in ("reference", "generated"))
    root = scipy.linalg.sqrtm(np.cov(real.T) @ np.cov(made.T))
    return ((real.mean(0) - made.mean(0)) ** 2).sum() + np.trace(np.cov(real.T) + np.cov(made.T) - 2 * root.real)


def aligned(stats):
    return 100 * sum(one["aligned"] for one in stats) / len(stats)


AGAIN = {
    "event_f1_25ms": event_f1,
    "class_accuracy": class_accuracy,
    "kld_mini": divergence,
    "fad_mini": frechet,
    "align_acc_mini": aligned,
}


@pytest.mark.parametrize(("table", "label"), ROWS)
@pytest.mark.parametrize("metric", AGAIN)
def test_a_cell_is_what_its_clips_say(table, label, metric):
    line = line_of(table, kind="measured", row=label, metric=metric)
    by_seed = [float(value) for value in line["by_seed"].split()]
    again = [AGAIN[metric](clips(f"{ROWS[table, label]}-seed{seed}", metric)) for seed in range(len(by_seed))]
    assert by_seed == pytest.approx(again, rel=1e-6)
    assert float(line["value"]) == pytest.approx(np.mean(again), rel=1e-6)


@pytest.mark.parametrize(("system", "label"), TRIES)
@pytest.mark.parametrize("metric", AGAIN)
def test_a_try_of_the_search_is_what_its_clips_say(system, label, metric):
    line = line_of("search.csv", **{"system": system, "try": label, "metric": metric})
    again = AGAIN[metric](clips(TRIES[system, label], metric, "search_results"))
    assert float(line["value"]) == pytest.approx(again, rel=1e-6)


def mean_over_seeds(name, metric, folder):
    return np.mean([AGAIN[metric](clips(name.format(seed=seed), metric, folder)) for seed in range(3)])


@pytest.mark.parametrize(("nfe", "head"), SPEEDS)
@pytest.mark.parametrize("metric", AGAIN)
def test_a_cell_of_the_speed_page_is_what_its_clips_say(nfe, head, metric):
    line = line_of("speed.csv", nfe=nfe, head=head, metric=metric)
    again = mean_over_seeds(SPEEDS[nfe, head], metric, "results")
    assert float(line["value"]) == pytest.approx(again, rel=1e-6)


@pytest.mark.parametrize(("split", "sound"), HELD_OUT)
@pytest.mark.parametrize("metric", AGAIN)
def test_a_cell_of_a_held_out_split_is_what_its_clips_say(split, sound, metric):
    line = line_of("heldout.csv", split=split, sound=sound, metric=metric)
    again = mean_over_seeds(HELD_OUT[split, sound], metric, "heldout_results")
    assert float(line["value"]) == pytest.approx(again, rel=1e-6, abs=1e-6)  # the real audio's distances are 0


def test_every_held_out_split_has_a_cell_here():
    with (HOME / "heldout.csv").open(encoding="utf-8", newline="") as file:
        splits = {line["split"] for line in csv.DictReader(file)}
    whole = {split for split in splits if not split.startswith("...")}
    assert whole == {split for split, _ in HELD_OUT}


def test_every_committed_table_has_rows_here():
    assert {table for table, _ in ROWS} == set(TABLES)
