"""Score the reference model on the held-out splits.

One checkpoint is scored on each split of SynthFoley, beside the real audio (the evaluators were not trained for these
splits either), and tested against the ordinary test split. Splits hold different clips, so the test is of two samples,
not of pairs.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

import soundfile

from foleybench.api.metric import Stat
from foleybench.artefacts.entries import ResultEntry, read_all
from foleybench.clips import Clock
from foleybench.files import write_atomically
from foleybench.pages import number_text
from foleybench.reproduce.grids import FULL, MODEL, Grid, GridRow
from foleybench.reproduce.measure import Difference, Measured, SeedsCell, cell, unpaired
from foleybench.reproduce.plan import Setup, row_name, table_steps, training_name
from foleybench.runtime.command_plan import Step
from foleybench.shards.manifest import Manifest, read_manifest
from foleybench.stats import ranking

METRICS = {
    "event_f1_25ms": "Event F1 (25 ms) ↑",
    "class_accuracy": "Class accuracy ↑",
    "align_acc_mini": "Align Acc (mini) ↑",
}
# The bias of a distance between sets depends on their size, so distances are shown and not tested.
SHOWN = {**METRICS, "kld_mini": "KLD (mini) ↓", "fad_mini": "FAD (mini) ↓"}
_ROW = GridRow(label="Foley-Flow", variant=FULL)
_TEST = "test"
_LONG_S = 23.0
_LONG_OVER_SHORT = 2.5  # heldout_long is this much longer than the other splits of size tiny


class HeldoutSplit(NamedTuple):
    """One row.

    Attributes:
        key: Part of the names of its results.
        title: Title of the row.
        name: The split in the corpus.
        folder: Folder of the split.
    """

    key: str
    title: str
    name: str
    folder: Path


def splits(setup: Setup) -> list[HeldoutSplit]:
    """Return the splits that are scored, the ordinary one first."""
    held, long = setup.data or setup.work / "heldout", setup.work / "heldout_23s"
    return [
        HeldoutSplit(_TEST, "test (4 s, 25 fps)", "test", setup.shards),
        HeldoutSplit("material", "new combinations of material and motion", "heldout_material", held),
        HeldoutSplit("tempo", "faster tempo", "heldout_tempo", held),
        HeldoutSplit("fps", "other frame rates", "heldout_fps", held),
        HeldoutSplit("long", "10 s clips", "heldout_long", held),
        HeldoutSplit("23s", "23 s clips", "heldout_long", long),
        HeldoutSplit("counterfactual", "counterfactual pairs", "counterfactual", held),
    ]


def results_folder(setup: Setup) -> Path:
    """Return the folder of the results, apart from the tables', which are all of one split."""
    return setup.results.parent / "heldout_results"


def heldout_steps(setup: Setup) -> list[Step]:
    """Return the steps: one training run and its score (shared with the tables), the splits, and their scores."""
    alone = dataclasses.replace(setup, seeds=1)
    trained = training_name(setup, FULL, 0)
    grid = Grid(number="", title="", rows=(_ROW,), reading="")
    found = table_steps(alone, [grid])
    wanted = splits(setup)
    rest = [] if setup.data else [split.name for split in wanted if split.folder == setup.work / "heldout"]
    if rest:
        found.append(_prepare(setup, "prepare-heldout", rest, setup.work / "heldout"))
    found.append(_prepare(setup, "prepare-heldout-23s", ["heldout_long"], setup.work / "heldout_23s", _LONG_S))
    ready = tuple(step.name for step in found if step.name.startswith("prepare"))
    checkpoint = ("--checkpoint", str(setup.work / "runs" / trained))
    evaluations = ("--nfe", str(setup.nfe)) if setup.nfe else ()
    for split in wanted:
        scored = _scoring(setup, split)
        if split.key != _TEST:
            words = ("eval", "--model", MODEL, *checkpoint, *evaluations, "--name", _name(setup, split), *scored)
            found.append(Step(f"eval-{_name(setup, split)}", words, (trained, *ready)))
        words = ("eval", "--model", "ground_truth", "--name", _truth(split), *scored)
        found.append(Step(f"eval-{_truth(split)}", words, ready))
    return found


def _prepare(setup: Setup, name: str, wanted: Sequence[str], out: Path, long_s: float | None = None) -> Step:
    words = ("prepare", "synthfoley", "--size", "tiny", "--splits", *wanted, "--out", str(out))
    length = ("--seconds", f"{long_s / _LONG_OVER_SHORT:g}") if long_s else ()
    return Step(name, (*words, *length, "--jobs", str(setup.jobs)))


def _scoring(setup: Setup, split: HeldoutSplit) -> tuple[str, ...]:
    words = ("--data", str(_manifest(split)), "--protocol", "synth", "--device", setup.device)
    kept = ("--work", str(setup.work / "audio"), "--cache", str(setup.work / "cache"))
    return (*words, *kept, "--out", str(results_folder(setup)))


def _manifest(split: HeldoutSplit) -> Path:
    return split.folder / f"{split.name}.manifest.jsonl"


def _name(setup: Setup, split: HeldoutSplit) -> str:
    if split.key == _TEST:
        return row_name(setup, _ROW, 0)
    return f"heldout-{split.key}-{row_name(setup, _ROW, 0)}"


def _truth(split: HeldoutSplit) -> str:
    return f"heldout-{split.key}-truth"


class _Line(NamedTuple):
    """A row of the page: its title, the results of model and truth, and how many lengths are exact."""

    title: str
    model: Measured
    truth: Measured
    lengths: str


def write_heldout(setup: Setup, tables: Mapping[str, ResultEntry], out: Path, command: str) -> list[str]:
    """Write the page and its numbers, if the test split has its row; return the names of the missing results.

    Args:
        setup: Folders and sizes.
        tables: The tables' results, which include the test split's.
        out: Folder of the page.
        command: Command that made the page.
    """
    results = {**tables, **{entry.row_name: entry for entry in read_all(results_folder(setup))}}
    wanted = splits(setup)
    missing = [name for split in wanted for name in (_name(setup, split), _truth(split)) if name not in results]
    lines = [line for split in wanted for line in _lines(setup, split, results)]
    if lines and not {_name(setup, wanted[0]), _truth(wanted[0])} & set(missing):
        cells = {line.title: (_cells(line.model), _cells(line.truth)) for line in lines}
        gaps = _differences(lines)
        first = lines[0].model.entries[0].result
        write_atomically(out / "heldout.md", _markdown(lines, cells, gaps, command, first).encode())
        write_atomically(out / "heldout.csv", _csv(cells, gaps).encode())
    return missing


def _lines(setup: Setup, split: HeldoutSplit, results: Mapping[str, ResultEntry]) -> Iterator[_Line]:
    """Yield the row of a split, and one for each frame rate when it has several."""
    model, truth = results.get(_name(setup, split)), results.get(_truth(split))
    if model is None or truth is None:
        return
    manifest = read_manifest(_manifest(split))
    folder = setup.work / "audio" / str(model.result["dataset"]["name"]) / split.name / _name(setup, split)
    rates = {entry.clip_id: float(entry.facts["fps"]) for entry in manifest.ok()}
    parts = {split.title: set(rates)}
    if len(set(rates.values())) > 1:
        parts |= {f"... {fps:.4g} fps": {i for i in rates if rates[i] == fps} for fps in sorted(set(rates.values()))}
    for title, kept in parts.items():
        yield _Line(title, _Part(model, kept), _Part(truth, kept), _lengths(manifest, folder, kept))


class _Part(Measured):
    """One result, some clips of it."""

    def __init__(self, entry: ResultEntry, kept: Set[str]) -> None:
        super().__init__([entry])
        self._kept = kept

    def stats(self, metric: str) -> list[dict[str, Stat]]:
        """Return, for the one seed, clip id -> statistics of the clips that are kept."""
        return [{key: value for key, value in one.items() if key in self._kept} for one in super().stats(metric)]


def _lengths(manifest: Manifest, folder: Path, kept: Set[str]) -> str:
    """Return how many audio files have exactly their clip's length."""
    if not folder.is_dir():
        return "audio not kept"
    off: Counter[int] = Counter()
    for entry in manifest.ok():
        path = folder / f"{entry.clip_id}.wav"
        if entry.clip_id in kept and path.is_file():
            info = soundfile.info(str(path))
            off[info.frames - Clock(float(entry.facts["duration_s"])).samples(info.samplerate)] += 1
    worst = max(off, key=abs, default=0)
    return f"{off[0]}/{off.total()}" + (f", worst {worst:+d}" if worst else "")


def _cells(measured: Measured) -> dict[str, SeedsCell]:
    return {name: cell(name, measured) for name in SHOWN}


def _differences(lines: Sequence[_Line]) -> dict[str, dict[str, Difference]]:
    """Return, per metric, each row less the test split, with p-values Holm-corrected over the rows."""
    test, *others = lines
    found = {}
    for name in METRICS:
        gaps = {line.title: unpaired(name, line.model, test.model) for line in others}
        told = {title: gap.p_value for title, gap in gaps.items() if gap.p_value is not None}
        corrected = dict(zip(told, ranking.holm(list(told.values())), strict=True))
        found[name] = {title: gap._replace(p_value=corrected.get(title)) for title, gap in gaps.items()}
    return found


def _markdown(
    lines: Sequence[_Line],
    cells: Mapping[str, tuple[Mapping[str, SeedsCell], Mapping[str, SeedsCell]]],
    gaps: Mapping[str, Mapping[str, Difference]],
    command: str,
    result: Mapping[str, object],
) -> str:
    rows = [["Split", "Sound", *SHOWN.values(), "Clips", "Lengths exact"]]
    for line in lines:
        clips = str(len(line.model.stats("class_accuracy")[0]))  # event F1 has fewer: those with onsets
        for sound, values, lengths in zip(("model", "true"), cells[line.title], (line.lengths, ""), strict=True):
            rows.append([line.title, sound, *(_text(values[name]) for name in SHOWN), clips, lengths])
    tests = [["Less the test split", *METRICS.values()]]
    tests += [[line.title, *(_gap(gaps[name][line.title]) for name in METRICS)] for line in lines[1:]]
    parts = [
        "<!-- Written by `foleybench reproduce heldout`. Do not edit: run it again. -->",
        "# Held-out splits",
        f"Made by `{command}`. The reference model of seed 0, trained on the train split (4 s clips at 25 fps), "
        f"{_evaluations(result)} network evaluations. 95 % intervals over clips; **true** is the real audio under the "
        "same evaluators. A length is exact when the audio has `round(duration * rate)` samples.",
        _table(rows),
        "## Against the test split",
        "Difference of the model's value from its value on the test split, p of a two-sample test (over "
        "clips, Welch; other clips, so not paired), Holm-corrected over the rows; none where all clips score alike. "
        "**Bold**: below 0.05.",
        _table(tests),
    ]
    return "\n\n".join(parts) + "\n"


def _evaluations(result: Mapping[str, object]) -> object:
    run = result["run"]
    return (run.get("generation") or {}).get("nfe") if isinstance(run, Mapping) else None


def _text(value: SeedsCell) -> str:
    if value.low is None or value.high is None:
        return number_text.fixed_decimals(value.value, 3)
    digits = 3 if abs(value.value) < 10 else 1
    ends = f"[{number_text.fixed_decimals(value.low, digits)}, {number_text.fixed_decimals(value.high, digits)}]"
    return f"{number_text.fixed_decimals(value.value, digits)} {ends}"


def _gap(gap: Difference) -> str:
    if gap.p_value is None:
        return f"{gap.difference:+.3f}"
    text = f"{gap.difference:+.3f} (p {gap.p_value:.2g})"
    return f"**{text}**" if gap.p_value < 0.05 else text


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [rows[0], ["---", *("---:" for _ in rows[0][1:])], *rows[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _csv(
    cells: Mapping[str, tuple[Mapping[str, SeedsCell], Mapping[str, SeedsCell]]],
    gaps: Mapping[str, Mapping[str, Difference]],
) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["split", "sound", "metric", "value", "low", "high", "less_test", "p_value"])
    for title, (model, truth) in cells.items():
        for sound, values in (("model", model), ("true", truth)):
            for name, value in values.items():
                gap = gaps.get(name, {}).get(title) if sound == "model" else None
                tested = ("", "") if gap is None else (repr(gap.difference), "" if gap.p_value is None else gap.p_value)
                writer.writerow([title, sound, name, value.value, value.low, value.high, *tested])
    return buffer.getvalue()
