"""Synthetic results, written by the real writer: what the tests of the leaderboard read."""

import functools

import numpy as np

from foleybench import registry
from foleybench.artefacts import result as results
from foleybench.metrics._math.f_score import TOLERANCES_S
from foleybench.stats.estimate import METHOD

LABELS = ("bow_saw", "spin_tin", "step_drum", "wheel_card")
METRICS = ("event_f1", "kld_mini", "seconds_per_clip")

load = functools.cache(lambda name: registry.load("metrics", name))


def clip_stats(metric, skill, draw):
    """Statistics of one clip for a system of some skill (0 to 1)."""
    if metric in ("event_f1", "event_f1_25ms"):
        wanted = int(draw.integers(3, 9))
        chance = skill * np.linspace(0.7, 1.0, len(TOLERANCES_S))
        hits = np.sort(np.minimum(wanted, np.round(wanted * chance + draw.normal(0, 0.6)).clip(0)))
        return {"tp": hits.tolist(), "n_generated": [float(wanted)] * len(TOLERANCES_S), "n_reference": float(wanted)}
    if metric == "kld_mini":
        return {load(metric).pool.above: float(abs(draw.normal(3 * (1 - skill) + 0.1, 0.4)))}
    if metric == "fad_mini":
        truth = draw.normal(0, 1, (1, 3))
        return {"reference": truth.tolist(), "generated": (truth + draw.normal(2 * (1 - skill), 0.1, (1, 3))).tolist()}
    if metric == "align_acc_mini":
        probability = float(np.clip(draw.normal(skill, 0.2), 0, 1))
        return {"aligned": float(probability > 0.5), "probability": probability}
    if metric == "class_accuracy":
        return {"hit": float(draw.uniform() < skill)}
    if metric in ("source_recall", "event_offset"):
        return event_sums(metric, skill, draw)
    if metric == "copying_share":
        return {"copied": float(draw.uniform() < skill), "windows": 1.0}
    return {"seconds": float(0.01 + 0.4 * skill + draw.uniform(0, 0.01))}


def event_sums(metric, skill, draw):
    if metric == "source_recall":
        return {"recalls": float(np.clip(draw.normal(skill, 0.1), 0, 1)), "n_sources": 1.0}
    off_s = float(abs(draw.normal(0.1 * (1 - skill), 0.01)))
    return {"absolute_s": off_s, "signed_s": off_s, "n_pairs": 1.0}


def record(name, rows, n_asked, labels=LABELS, **changes):
    """A metric's record, its value really pooled from the rows."""
    metric = load(name)
    stats = results.stats_of(rows, name)
    found = list(stats.values())
    value = metric.pool(found)
    return {
        "version": metric.version,
        "source_sha256": "0" * 64,
        "value": value,
        "low": within(metric, value * 0.95),
        "high": within(metric, value * 1.05),
        "level": 0.95,
        "method": METHOD,
        "notes": [],
        "corrected": metric.corrected(found, [row["source_id"] for row in rows if row["clip_id"] in stats])
        if metric.corrected
        else None,
        "n_used": len(found),
        "n_asked": n_asked,
        "not_applicable": 0,
        "unit": metric.unit,
        "better": metric.better,
        "reason": None,
        "per_class": {
            label: class_record(metric, [stats[r["clip_id"]] for r in rows if r["label"] == label]) for label in labels
        },
        **changes,
    }


def class_record(metric, found):
    value = metric.pool(found) if len(found) >= max(1, metric.minimum_clips) else np.nan
    return {"value": value if np.isfinite(value) else None, "n": len(found)}


def within(metric, value):
    low, high = metric.range
    return min(max(value, -np.inf if low is None else low), np.inf if high is None else high)


def rows_of(ids, labels, metrics, skill, draw):
    return [
        {
            "clip_id": clip_id,
            "source_id": clip_id.split("_")[0],
            "label": labels[i % len(labels)],
            "duration_s": 4.0,
            "audio_sha256": "1" * 64,
            "stats": {metric: clip_stats(metric, skill, draw) for metric in metrics},
        }
        for i, clip_id in enumerate(ids)
    ]


def generation_of(name, skill):
    return {
        "model": {"name": name},
        "nfe": 25,
        "sampler": "heun",
        "vocoder": "griffin_lim, 16 iterations",
        "guidance": 3.0,
        "level_share": 0.25,
        "seed": 0,
        "device": "cpu",
        "threads": 1,
        "rate_hz": 16000,
        "speed": {"batch_1": {"seconds_per_clip": 0.01 + 0.3 * skill, "real_time_factor": 0.02}},
    }


def model_of(name, title, kind, skill):
    return {
        "name": name,
        "title": title,
        "kind": kind,
        "licence": "MIT",
        "parameters": int(1e6 * (1 + skill)),
        "checkpoint_sha256": "c" * 64,
        "description": f"What {name} is, in a sentence.",
    }


def dataset_of(name, manifest, n_clips, subset, n_listed, n_scored):
    found = {"name": name, "split": "test", "manifest_sha256": manifest, "n_clips": n_clips, "n_scored": n_clips}
    found |= {} if n_scored is None else {"n_scored": n_scored}
    found |= {"n_listed": n_listed} if n_listed else {}
    return {**found, "subset": subset} if subset else found


def run_of(name, skill):
    return {
        "command": f"foleybench eval --model {name}",
        "seed": 0,
        "resamples": 1000,
        "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
        "packages": {"python": "3.11.7", "numpy": "2.1.0"},
        "device": "cpu",
        "encoders": {"mini_class": {"version": 1, "weights_sha256": "d" * 64}},
        "generation": generation_of(name, skill),
    }


def changed_records(rows, metrics, labels, changes):
    """Records of the metrics; one whose value is changed to None is undefined, so its rows lose their statistics."""
    records = {metric: record(metric, rows, len(rows), labels=labels) for metric in metrics}
    for metric, change in changes.items():
        records[metric].update(change)
        if change.get("value", 0) is None:
            nothing = {label: {"value": None, "n": 0} for label in labels}
            records[metric].update(n_used=0, not_applicable=len(rows), corrected=None, per_class=nothing)
            for row in rows:
                row["stats"][metric] = None
    return records


def make_result(
    folder,
    name,
    *,
    kind="model",
    skill=0.6,
    n_clips=40,
    metrics=METRICS,
    status="complete",
    dataset="synthfoley",
    manifest="a" * 64,
    protocol=("trial", 1),
    title=None,
    clip_ids=None,
    labels=LABELS,
    changes=None,
    problems=(),
    seed=0,
    section=None,
    subset=None,
    n_listed=None,
    n_scored=None,
    n_usable=None,
):
    """Write one result file; return its path. With ``n_usable`` the data set has more clips than were asked for."""
    ids = clip_ids or [f"v{i // 2:04d}_{i:06d}" for i in range(n_clips)]
    rows = rows_of(ids, labels, metrics, skill, np.random.default_rng([seed, *name.encode()]))
    result = {
        "schema": results.SCHEMA,
        "status": status,
        "model": {**model_of(name, title or name, kind, skill), **(section or {})},
        "dataset": dataset_of(dataset, manifest, len(ids), subset, n_listed, n_scored)
        | ({"n_clips": n_usable} if n_usable else {}),
        "protocol": {"name": protocol[0], "version": protocol[1]},
        "metrics": changed_records(rows, metrics, labels, changes or {}),
        "problems": list(problems),
        "run": run_of(name, skill),
    }
    return results.write_result(folder, result, rows)


def make_board(folder):
    """Fill a folder with one of everything: models, baseline, oracle, control, partial, undefined, stale."""
    make_result(folder, "alpha", skill=0.85, title="Alpha")
    make_result(folder, "beta", skill=0.9, title="Beta")
    make_result(folder, "gamma", skill=0.3, kind="baseline", title="Gamma")
    make_result(folder, "truth", skill=1.0, kind="oracle", title="True events")
    make_result(folder, "noise", skill=0.05, kind="control", title="Noise")
    make_result(folder, "half", skill=0.99, status="partial", title="Half done")
    gone = {"value": None, "low": None, "high": None, "reason": "speed is not reported"}
    changes = {"seconds_per_clip": gone, "kld_mini": {"version": 0}}
    make_result(folder, "delta", skill=0.5, title="Delta", changes=changes)
    return folder
