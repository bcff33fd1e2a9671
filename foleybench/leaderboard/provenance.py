"""List a row's provenance in groups of facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from foleybench.artefacts.coverage import coverage
from foleybench.artefacts.fewer_clips import why_fewer
from foleybench.leaderboard import cell_text
from foleybench.leaderboard.board import BoardRow


class FactGroup(NamedTuple):
    """A heading and its facts, both plain text."""

    title: str
    facts: tuple[tuple[str, str], ...]


def fact_groups(row: BoardRow) -> list[FactGroup]:
    """Return all facts needed to make the row again, except its command."""
    result = row.entry.result
    found = [
        FactGroup("System", _system(row)),
        FactGroup("Result", _result(result, row.entry.name)),
        FactGroup("Generation", _generation(result["run"].get("generation"))),
        FactGroup("Evaluator", _evaluator(result["run"])),
        FactGroup("Metrics", tuple(_metric(result, name) for name in sorted(result["metrics"]))),
        FactGroup(
            "Packages", tuple(sorted((str(k), str(v)) for k, v in (result["run"].get("packages") or {}).items()))
        ),
    ]
    return [group for group in found if group.facts]


def _facts(**values: object) -> tuple[tuple[str, str], ...]:
    """Return names and values as text, without those that are unknown; underscores become spaces."""
    return tuple((name.replace("_", " "), str(value)) for name, value in values.items() if value not in (None, ""))


def _system(row: BoardRow) -> tuple[tuple[str, str], ...]:
    model = row.model
    return _facts(
        name=model["name"],
        kind=model["kind"],
        licence=model.get("licence"),
        parameters=cell_text.count(model.get("parameters")),
        checkpoint_sha256=model.get("checkpoint_sha256"),
    )


def _result(result: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    dataset, protocol, git = result["dataset"], result["protocol"], result["run"].get("git")
    subset = dataset.get("subset")
    clips = coverage(dataset) or f"{dataset['n_clips']} clips"
    commit = f"{git['commit']}{' (with uncommitted changes)' if git.get('dirty') else ''}" if git else "not in git"
    return _facts(
        file=name,
        status=result["status"],
        test_set=f"{dataset['name']} / {dataset['split']}, {clips}",
        manifest_sha256=dataset["manifest_sha256"],
        subset=f"{subset['name']}, {subset['n_here']} of {subset['n_ids']} clips" if subset else None,
        subset_sha256=subset["sha256"] if subset else None,
        protocol=f"{protocol['name']}, version {protocol['version']}",
        commit=commit,
        clip_table_sha256=result["clips"].get("sha256"),
    )


def _generation(generation: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    if not generation:
        return (("", "not reported: the audio was made elsewhere"),)
    facts = _facts(
        sampler=generation.get("sampler"),
        network_evaluations=generation.get("nfe"),
        guidance=generation.get("guidance"),
        level_share=generation.get("level_share"),
        vocoder=generation.get("vocoder"),
        seed=generation.get("seed"),
        device=generation.get("device"),
        threads=generation.get("threads"),
        rate=_rate(generation),
    )
    return facts + tuple(_speed(name, speed) for name, speed in sorted((generation.get("speed") or {}).items()))


def _rate(generation: Mapping[str, Any]) -> str | None:
    if "rate_hz" not in generation:
        return None
    return f"{generation['rate_hz']} Hz" if generation["rate_hz"] else "each clip's own"


def _speed(name: str, speed: Mapping[str, Any]) -> tuple[str, str]:
    seconds, factor = speed.get("seconds_per_clip"), speed.get("real_time_factor")
    words = [f"{cell_text.seconds(seconds)} s per clip" if seconds is not None else ""]
    words.append(f"real-time factor {cell_text.seconds(factor)}" if factor is not None else "")
    return name.replace("_", " "), ", ".join(filter(None, words))


def _evaluator(run: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    facts = _facts(seed=run.get("seed"), resamples=run.get("resamples"), device=run.get("device"))
    return facts + tuple(
        (name, f"version {encoder.get('version')}, weights {encoder.get('weights_sha256') or 'none'}")
        for name, encoder in sorted((run.get("encoders") or {}).items())
    )


def _metric(result: Mapping[str, Any], name: str) -> tuple[str, str]:
    record = result["metrics"][name]
    value = "undefined" if record["value"] is None else f"{record['value']:.6g}"
    if record["low"] is not None:
        value += f" [{record['low']:.6g}, {record['high']:.6g}]"
    corrected = "" if record["corrected"] is None else f"; corrected for sample size {record['corrected']:.6g}"
    clips = f"{record['n_used']} of {record['n_asked']} clips"
    if why := why_fewer(result, name):
        clips += f" ({why})"
    reason = "".join(f"; {note}" for note in (*record.get("notes", ()), record["reason"]) if note)
    return name, f"{value}{corrected}; {clips}; version {record['version']}{reason}"
