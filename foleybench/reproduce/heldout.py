"""Score the reference model on the held-out splits.

One checkpoint is scored on each split of SynthFoley, beside the baseline without a network and the real audio (the
evaluators were not trained for these splits either), and tested against the ordinary test split. Splits hold different
clips, so the test is of two samples, not of pairs.
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
from foleybench.reproduce.cells import evaluations_made, evaluators_text, gap_text, markdown_table
from foleybench.reproduce.cores import FULL, PASTED_GRAINS
from foleybench.reproduce.made_by import command_text
from foleybench.reproduce.measure import Difference, Measured, SeedsCell, cell, holm_corrected, unpaired
from foleybench.reproduce.plan import Setup, evaluations_of, row_name, table_steps, training_name
from foleybench.reproduce.rows import Grid, GridRow
from foleybench.runtime.command_plan import Step
from foleybench.shards.manifest import Manifest, read_manifest

METRICS = {
    "event_f1_25ms": "Event F1 (25 ms) ↑",
    "class_accuracy": "Class accuracy ↑",
    "align_acc_mini": "Align Acc (mini) ↑",
}
# The bias of a distance between sets depends on their size, so distances are shown and not tested.
SHOWN = {**METRICS, "kld_mini": "KLD (mini) ↓", "fad_mini": "FAD (mini) ↓"}
_SYSTEMS = (GridRow(label="Foley-Flow", variant=FULL), PASTED_GRAINS)
_TRUE = "real audio"
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
    found = table_steps(alone, [Grid(number="", title="", rows=_SYSTEMS, reading="")])
    wanted = splits(setup)
    rest = [] if setup.data else [split.name for split in wanted if split.folder == setup.work / "heldout"]
    if rest:
        found.append(_prepare(setup, "prepare-heldout", rest, setup.work / "heldout"))
    found.append(_prepare(setup, "prepare-heldout-23s", ["heldout_long"], setup.work / "heldout_23s", _LONG_S))
    ready = tuple(step.name for step in found if step.name.startswith("prepare"))
    for split in wanted:
        scored = _scoring(setup, split)
        if split.key != _TEST:
            found += [_score(setup, system, split, ready) for system in _SYSTEMS]
        words = ("eval", "--model", "ground_truth", "--name", _truth(split), *scored)
        found.append(Step(f"eval-{_truth(split)}", words, ready))
    return found


def standing(setup: Setup) -> set[str]:
    """Return the rows of held-out splits that have a result of the split as it would be scored."""
    wanted = {name: _manifest(split) for split in splits(setup) for name in _names(setup, split).values()}
    found = set()
    for entry in read_all(results_folder(setup)):
        path = wanted.get(entry.row_name)
        if path and (not path.is_file() or entry.result["dataset"]["manifest_sha256"] == read_manifest(path).sha256):
            found.add(entry.row_name)
    return found


def needed_by_page(setup: Setup) -> set[str]:
    """Return the steps that prepare splits whose manifest the page needs and does not have."""
    absent = {split.folder for split in splits(setup) if not _manifest(split).is_file()}
    made = {setup.work / "heldout": "prepare-heldout", setup.work / "heldout_23s": "prepare-heldout-23s"}
    return {name for folder, name in made.items() if folder in absent}


def _score(setup: Setup, system: GridRow, split: HeldoutSplit, ready: tuple[str, ...]) -> Step:
    assert system.variant is not None
    model, trained = system.variant.model, training_name(setup, system.variant, 0)
    nfe = evaluations_of(setup, model)
    evaluations = ("--nfe", str(nfe)) if nfe else ()
    name = _name(setup, system, split)
    words = ("eval", "--model", model, "--checkpoint", str(setup.work / "runs" / trained), *evaluations)
    return Step(f"eval-{name}", (*words, "--name", name, *_scoring(setup, split)), (trained, *ready))


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


def _name(setup: Setup, system: GridRow, split: HeldoutSplit) -> str:
    name = row_name(setup, system, 0)
    return name if split.key == _TEST else f"heldout-{split.key}-{name}"


def _truth(split: HeldoutSplit) -> str:
    return f"heldout-{split.key}-truth"


def _names(setup: Setup, split: HeldoutSplit) -> dict[str, str]:
    """Return what is heard in the rows of a split -> the names of the results."""
    return {**{system.label: _name(setup, system, split) for system in _SYSTEMS}, _TRUE: _truth(split)}


class _Line(NamedTuple):
    """A row of the page: its title, a system or the real audio, its result, and how many lengths are exact."""

    title: str
    sound: str
    measured: Measured
    lengths: str


def write_heldout(setup: Setup, tables: Mapping[str, ResultEntry], out: Path) -> list[str]:
    """Write the page and its numbers, if the test split has its rows; return the names of the missing results.

    Args:
        setup: Folders and sizes.
        tables: The tables' results, which include the test split's.
        out: Folder of the page.
    """
    results = {**tables, **{entry.row_name: entry for entry in read_all(results_folder(setup))}}
    wanted = splits(setup)
    missing = [name for split in wanted for name in _names(setup, split).values() if name not in results]
    if not set(_names(setup, wanted[0]).values()) & set(missing):
        counted = _counted_lengths(out / "heldout.csv")
        lines = [line for split in wanted for line in _lines(setup, split, results, counted)]
        cells = [_cells(line.measured) for line in lines]
        gaps = _differences(lines)
        first = results[_name(setup, _SYSTEMS[0], wanted[0])].result
        command = command_text(dataclasses.replace(setup, seeds=1), ["heldout"])
        write_atomically(out / "heldout.md", _markdown(lines, cells, gaps, command, first).encode())
        write_atomically(out / "heldout.csv", _csv(lines, cells, gaps).encode())
    return missing


def _counted_lengths(path: Path) -> dict[tuple[str, str], str]:
    """Return what the page's file says of lengths, by split and sound: audio does not outlive a machine."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["split"], row["sound"]): row.get("lengths_exact") or "" for row in csv.DictReader(file)}


def _lines(
    setup: Setup, split: HeldoutSplit, results: Mapping[str, ResultEntry], counted: Mapping[tuple[str, str], str]
) -> Iterator[_Line]:
    """Yield the rows of a split, and those of each frame rate when it has several."""
    found = {sound: results[name] for sound, name in _names(setup, split).items() if name in results}
    if not found:
        return
    manifest = read_manifest(_manifest(split))
    rates = {entry.clip_id: float(entry.facts["fps"]) for entry in manifest.ok()}
    parts = {split.title: set(rates)}
    if len(set(rates.values())) > 1:
        parts |= {f"... {fps:.4g} fps": {i for i in rates if rates[i] == fps} for fps in sorted(set(rates.values()))}
    for title, kept in parts.items():
        for sound, entry in found.items():
            folder = setup.work / "audio" / str(entry.result["dataset"]["name"]) / split.name / entry.row_name
            lengths = "" if sound == _TRUE else _lengths(manifest, folder, kept) or counted.get((title, sound), "")
            yield _Line(title, sound, _Part(entry, kept), lengths)


class _Part(Measured):
    """One result, some clips of it."""

    def __init__(self, entry: ResultEntry, kept: Set[str]) -> None:
        super().__init__([entry])
        self._kept = kept

    def stats(self, metric: str) -> list[dict[str, Stat]]:
        """Return, for the one seed, clip id -> statistics of the clips that are kept."""
        return [{key: value for key, value in one.items() if key in self._kept} for one in super().stats(metric)]


def _lengths(manifest: Manifest, folder: Path, kept: Set[str]) -> str:
    """Return how many audio files have exactly their clip's length; nothing where there is no audio."""
    if not folder.is_dir():
        return ""
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


def _differences(lines: Sequence[_Line]) -> dict[str, dict[int, Difference]]:
    """Return, per metric, by number of the line, each system less itself on the test split.

    P-values are Holm-corrected over the rows.
    """
    test = {line.sound: line for line in reversed(lines)}  # the first of each
    found = {}
    for name in METRICS:
        gaps = {
            number: unpaired(name, line.measured, test[line.sound].measured)
            for number, line in enumerate(lines)
            if line.sound != _TRUE and line is not test[line.sound]
        }
        found[name] = holm_corrected(gaps)
    return found


def _markdown(
    lines: Sequence[_Line],
    cells: Sequence[Mapping[str, SeedsCell]],
    gaps: Mapping[str, Mapping[int, Difference]],
    command: str,
    result: Mapping[str, object],
) -> str:
    rows = [["Split", "Sound", *SHOWN.values(), "Clips", "Lengths exact"]]
    for line, values in zip(lines, cells, strict=True):
        clips = str(len(line.measured.stats("class_accuracy")[0]))  # event F1 has fewer: those with onsets
        lengths = line.lengths or ("" if line.sound == _TRUE else "audio not kept")
        rows.append([line.title, line.sound, *(_text(values[name]) for name in SHOWN), clips, lengths])
    tests = [["Less the test split", "Sound", *METRICS.values()]]
    tests += [
        [lines[number].title, lines[number].sound, *(gap_text(gaps[name][number], 3) for name in METRICS)]
        for number in gaps[next(iter(METRICS))]
    ]
    evaluators = evaluators_text(entry for line in lines for entry in line.measured.entries)
    parts = [
        "<!-- Written by `foleybench reproduce heldout`. Do not edit: run it again. -->",
        "# Held-out splits",
        f"Made by `{command}`. The reference model of seed 0, trained on the train split (4 s clips at 25 fps), "
        f"{evaluations_made(result)} network evaluations; pasted grains, which have no network, of the same clips; and "
        "the real audio under the same evaluators. 95 % intervals over clips. A length is exact when the audio has "
        f"`round(duration * rate)` samples. {evaluators}",
        markdown_table(rows),
        "## Against the test split",
        "Difference of a system's value from its value on the test split, p of a two-sample test (over "
        "clips, Welch; other clips, so not paired), Holm-corrected over the rows of each column; none where all clips "
        "score alike. **Bold**: below 0.05.",
        markdown_table(tests),
    ]
    return "\n\n".join(parts) + "\n"


def _text(value: SeedsCell) -> str:
    if value.low is None or value.high is None:
        return number_text.fixed_decimals(value.value, 3)
    digits = 3 if abs(value.value) < 10 else 1
    ends = f"[{number_text.fixed_decimals(value.low, digits)}, {number_text.fixed_decimals(value.high, digits)}]"
    return f"{number_text.fixed_decimals(value.value, digits)} {ends}"


def _csv(
    lines: Sequence[_Line], cells: Sequence[Mapping[str, SeedsCell]], gaps: Mapping[str, Mapping[int, Difference]]
) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["split", "sound", "metric", "value", "low", "high", "less_test", "p_value", "lengths_exact"])
    for number, (line, values) in enumerate(zip(lines, cells, strict=True)):
        for name, value in values.items():
            gap = gaps.get(name, {}).get(number)
            tested = ("", "") if gap is None else (repr(gap.difference), "" if gap.p_value is None else gap.p_value)
            writer.writerow([line.title, line.sound, name, value.value, value.low, value.high, *tested, line.lengths])
    return buffer.getvalue()
