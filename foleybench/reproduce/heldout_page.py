"""Write the page of the held-out splits."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

import soundfile

from foleybench.api.metric import Stat
from foleybench.artefacts.entries import ResultEntry
from foleybench.clips import Clock
from foleybench.files import write_atomically
from foleybench.pages import number_text
from foleybench.reproduce.cells import evaluations_made, evaluators_text, gap_text, markdown_table
from foleybench.reproduce.heldout import (
    SYSTEMS,
    TRUE_AUDIO,
    HeldoutSplit,
    entries_of_page,
    manifest_of,
    result_names,
    splits,
)
from foleybench.reproduce.lent import samples_a_network
from foleybench.reproduce.made_by import command_text
from foleybench.reproduce.measure import Difference, Measured, SeedsCell, cell, holm_corrected, unpaired
from foleybench.reproduce.page_evaluators import EVALUATOR_NAMES, evaluators_named
from foleybench.reproduce.plan import Setup
from foleybench.reproduce.shown_seeds import fullest_seeds, shown_phrase
from foleybench.shards.manifest import Manifest, read_manifest
from foleybench.stats.moderated import CommonLaw

METRICS = {
    "event_f1_25ms": "Event F1 (25 ms) ↑",
    "class_accuracy": "Class accuracy ↑",
    "align_acc_mini": "Align Acc (mini) ↑",
}
# The bias of a distance between sets depends on their size, so distances are shown and not tested.
SHOWN = {**METRICS, "kld_mini": "KLD (mini) ↓", "fad_mini": "FAD (mini) ↓"}


class _Line(NamedTuple):
    """A row of the page: its title, a system or the real audio, its result, and how many lengths are exact."""

    title: str
    sound: str
    measured: Measured
    lengths: str


def write_heldout(setup: Setup, laws: Mapping[str, CommonLaw], out: Path) -> list[str]:
    """Write the page and its numbers, if the test split has its rows; return the names of the missing results.

    Args:
        setup: Folders and sizes.
        laws: Metric -> law of the variance between seeds of trained networks.
        out: Folder of the page.
    """
    results = {entry.row_name: entry for entry in entries_of_page(setup)}
    wanted = {split: result_names(setup, split) for split in splits(setup)}
    missing = [one for sounds in wanted.values() for names in sounds.values() for one in names if one not in results]
    of_systems = [names for sounds in wanted.values() for sound, names in sounds.items() if sound != TRUE_AUDIO]
    of_test = [names for sound, names in next(iter(wanted.values())).items() if sound != TRUE_AUDIO]
    seeds = fullest_seeds(of_systems, results, setup.seeds, of_test)
    found = {split: _entries(sounds, results, seeds) for split, sounds in wanted.items()}
    if len(next(iter(found.values()))) == len(SYSTEMS) + 1:
        counted = _counted_lengths(out / "heldout.csv")
        lines = [line for split, entries in found.items() for line in _lines(setup, split, entries, laws, counted)]
        cells = [_cells(line.measured) for line in lines]
        gaps = _differences(lines)
        words = _words(setup, lines, seeds)
        write_atomically(out / "heldout.md", _markdown(lines, cells, gaps, words).encode())
        write_atomically(out / "heldout.csv", _csv(lines, cells, gaps).encode())
    return missing


def _entries(
    sounds: Mapping[str, Sequence[str]], results: Mapping[str, ResultEntry], seeds: Sequence[int]
) -> dict[str, list[ResultEntry]]:
    """Return what is heard in a split -> its results, those without one of every seed left out."""
    found = {}
    for sound, names in sounds.items():
        shown = names if sound == TRUE_AUDIO else [names[seed] for seed in seeds]
        if shown and all(name in results for name in shown):
            found[sound] = [results[name] for name in shown]
    return found


def _counted_lengths(path: Path) -> dict[tuple[str, str], str]:
    """Return what the page's file says of lengths, by split and sound."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["split"], row["sound"]): row.get("lengths_exact") or "" for row in csv.DictReader(file)}


def _lines(
    setup: Setup,
    split: HeldoutSplit,
    found: Mapping[str, Sequence[ResultEntry]],
    laws: Mapping[str, CommonLaw],
    counted: Mapping[tuple[str, str], str],
) -> Iterator[_Line]:
    """Yield the rows of a split, and those of each frame rate when it has several."""
    if not found:
        return
    manifest = read_manifest(manifest_of(split))
    rates = {entry.clip_id: float(entry.facts["fps"]) for entry in manifest.ok()}
    parts = {split.title: set(rates)}
    if len(set(rates.values())) > 1:
        parts |= {f"... {fps:.4g} fps": {i for i in rates if rates[i] == fps} for fps in sorted(set(rates.values()))}
    for title, kept in parts.items():
        for sound, entries in found.items():
            lengths = ""
            if sound != TRUE_AUDIO:
                lengths = _all_lengths(setup, manifest, split, entries, kept)
                before = counted.get((title, sound), "")
                scored = sum(row["clip_id"] in kept for entry in entries for row in entry.rows)
                if not lengths and before.partition(",")[0].endswith(f"/{scored}"):
                    lengths = before  # of as many files: audio does not outlive a machine
            told = laws if samples_a_network(entries[0]) else {}
            yield _Line(title, sound, _Part(entries, kept, told), lengths)


class _Part(Measured):
    """The results of a row, some clips of them."""

    def __init__(self, entries: Sequence[ResultEntry], kept: Set[str], laws: Mapping[str, CommonLaw]) -> None:
        super().__init__(entries, laws=laws)
        self._kept = kept

    def stats(self, metric: str) -> list[dict[str, Stat]]:
        """Return, per seed, clip id -> statistics of the clips that are kept."""
        return [{key: value for key, value in one.items() if key in self._kept} for one in super().stats(metric)]


def _all_lengths(
    setup: Setup, manifest: Manifest, split: HeldoutSplit, entries: Sequence[ResultEntry], kept: Set[str]
) -> str:
    """Return how many audio files of all seeds have exactly their clip's length; nothing where some have no audio."""
    folders = [
        setup.work / "audio" / str(entry.result["dataset"]["name"]) / split.name / entry.row_name for entry in entries
    ]
    return _lengths(manifest, folders, kept) if all(folder.is_dir() for folder in folders) else ""


def _lengths(manifest: Manifest, folders: Sequence[Path], kept: Set[str]) -> str:
    """Return how many audio files have exactly their clip's length, and how far the worst is off."""
    off: Counter[int] = Counter()
    for entry, folder in itertools.product(manifest.ok(), folders):
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
            if line.sound != TRUE_AUDIO and line is not test[line.sound]
        }
        found[name] = holm_corrected(gaps)
    return found


def _words(setup: Setup, lines: Sequence[_Line], seeds: Sequence[int]) -> str:
    """Return what the page says of how it was made."""
    number = shown_phrase(seeds, setup.seeds)
    result = lines[0].measured.entries[0].result
    evaluators = evaluators_text(entry for line in lines for entry in line.measured.entries)
    several = "; the variance between seeds as in the tables (`foleybench/reproduce/measure.py`)"
    return (
        f"Made by `{command_text(setup, ['heldout'])}`. The reference model, {number}, trained on the train split (4 s "
        f"clips at 25 fps), {evaluations_made(result)} network evaluations; pasted grains, which have no network, of "
        "the same clips and seeds; and the real audio under the same evaluators. 95 % intervals over clips"
        f"{' and seeds' + several if len(seeds) > 1 else ''}. {_trainings(lines)}A length is exact when the audio has "
        f"`round(duration * rate)` samples.\n\n{evaluators} {_own_evaluators(lines[0])}"
    )


def _trainings(lines: Sequence[_Line]) -> str:
    """Return what is to be said where not all splits were scored with the same weights."""
    weights = {tuple(one.weights for one in line.measured.entries) for line in lines if line.sound == SYSTEMS[0].label}
    if len(weights) == 1:
        return ""
    return "Not all splits have the same weights of the model: a seed's training ends with others on another machine. "


def _own_evaluators(line: _Line) -> str:
    """Return how the page's evaluators differ from the tables', and which they are."""
    hashes = evaluators_named(line.measured.entries[0])
    which = ", ".join(f"{name} {sha256[:8]}" for name, sha256 in zip(EVALUATOR_NAMES, hashes, strict=True))
    return (
        "They are not the tables' evaluators, which do not hold on these splits: the same nets were trained on the "
        "train split and, beside it, on clips of the kinds that are held out (new combinations of material and motion, "
        "faster tempo, other frame rates; other draws, of which no clip is scored). The rows of the test split are "
        "scored by them, too. So class accuracy, KLD, FAD and Align Acc of this page do not compare with the tables'. "
        f"Their weights: {which}."
    )


def _markdown(
    lines: Sequence[_Line],
    cells: Sequence[Mapping[str, SeedsCell]],
    gaps: Mapping[str, Mapping[int, Difference]],
    words: str,
) -> str:
    rows = [["Split", "Sound", *SHOWN.values(), "Clips", "Lengths exact"]]
    for line, values in zip(lines, cells, strict=True):
        clips = str(len(line.measured.stats("class_accuracy")[0]))  # event F1 has fewer: those with onsets
        lengths = line.lengths or ("" if line.sound == TRUE_AUDIO else "audio not kept")
        rows.append([line.title, line.sound, *(_text(values[name]) for name in SHOWN), clips, lengths])
    tests = [["Less the test split", "Sound", *METRICS.values()]]
    tests += [
        [lines[number].title, lines[number].sound, *(gap_text(gaps[name][number], 3) for name in METRICS)]
        for number in gaps[next(iter(METRICS))]
    ]
    over = "clips and seeds" if len(lines[0].measured.entries) > 1 else "clips"
    parts = [
        "<!-- Written by `foleybench reproduce heldout`. Do not edit: run it again. -->",
        "# Held-out splits",
        words,
        markdown_table(rows),
        "## Against the test split",
        "Difference of a system's value from its value on the test split, p of a two-sample test (over "
        f"{over}, Welch; other clips, so not paired), Holm-corrected over the rows of each column; none where all "
        "clips score alike. **Bold**: below 0.05.",
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
