"""Cells of the committed tables by a second path: from the clip tables, with nothing of ours but file names."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

HOME = Path(__file__).parents[2] / "leaderboards/reproduce"
TABLES = sorted(path.name for path in HOME.glob("table?.csv"))
# The first of the tolerances 25, 50, 100 ... ms, as the card of event F1 has them.
_AT_25_MS = 0
# Table and row -> names of its results, but for seed and hash.
ROWS = {
    ("table1.csv", "Foley-Flow (ours, this corpus and size)"): "full-tiny-clips351",
    ("table1.csv", "MaskVAT core"): "maskvat-tiny-clips351",
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
}


def clips(stem, seed, metric):
    """Return the statistics of a metric's clips; it has none for a clip without events."""
    (path,) = (HOME / "results/synthfoley").glob(f"{stem}-seed{seed}.*.clips.jsonl.gz")
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


AGAIN = {"event_f1_25ms": event_f1, "class_accuracy": class_accuracy, "kld_mini": divergence, "fad_mini": frechet}


@pytest.mark.parametrize(("table", "label"), ROWS)
@pytest.mark.parametrize("metric", AGAIN)
def test_a_cell_is_what_its_clips_say(table, label, metric):
    with (HOME / table).open(encoding="utf-8", newline="") as file:
        (line,) = (
            one for one in csv.DictReader(file)
            if (one["kind"], one["row"], one["metric"]) == ("measured", label, metric)
        )  # fmt: skip
    by_seed = [float(value) for value in line["by_seed"].split()]
    again = [AGAIN[metric](clips(ROWS[table, label], seed, metric)) for seed in range(len(by_seed))]
    assert by_seed == pytest.approx(again, rel=1e-6)
    assert float(line["value"]) == pytest.approx(np.mean(again), rel=1e-6)


def test_every_committed_table_has_rows_here():
    assert {table for table, _ in ROWS} == set(TABLES)
