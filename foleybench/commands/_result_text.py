"""Print a result as a table, with what to run next."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from foleybench import registry
from foleybench.artefacts import draft
from foleybench.artefacts.coverage import coverage
from foleybench.artefacts.entries import RANKED_KINDS
from foleybench.artefacts.fewer_clips import why_fewer, why_not_scored
from foleybench.artefacts.unranked import n_too_short, why_unranked
from foleybench.errors import FoleyError, ResultError
from foleybench.pages.unit_words import unit_words
from foleybench.runtime.precision import WHOLE

if TYPE_CHECKING:
    from foleybench.scoring.folders import Pairing

# Controls that say most about a number: the best there can be, real but of another clip, and no Foley at all.
CONTROLS = {"ground_truth": "real audio", "other_clip": "another clip's", "noise": "noise"}
# What sums in double precision leave of a zero.
_ROUNDING = 1e-12
_MOST_TOLD = 20
_LEFTOVERS_TOLD = 3
# Of more metrics than this a note names the others, where these are fewer.
_FEW_NAMES = 3
# Sentences on audio with several channels, by the result's run.
_MIXED = {
    "mean": "audio with several channels is scored as their mean",
    "first": "only the first channel of audio with several is scored",
}


def tell(result: Mapping[str, Any], stream: TextIO, controls: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Write a result as a table.

    Args:
        result: The result.
        stream: Where the table is written.
        controls: Name of a control -> its result on the same clips, as ``controls_beside`` finds them.
    """
    stream.write("\n".join([*_head(result), *_table(result, controls or {}), *_problems(result)]) + "\n")


def tell_controls(controls: Mapping[str, Mapping[str, Any]], stream: TextIO) -> None:
    """Write the results of several controls as one table: a line a metric, a column a control.

    Args:
        controls: Name of a control -> its result, all of the same clips and protocol.
        stream: Where the table is written.
    """
    first = next(iter(controls.values()))
    data = first["dataset"]
    rows = [["", "better", *(name.replace("_", " ") for name in controls)]]
    for name, record in first["metrics"].items():
        values = [_value(result, name, digits=3) for result in controls.values()]
        rows.append([_title(name), "higher ↑" if record["better"] == "higher" else "lower ↓", *values])
    clips = coverage(data) or f"{data['n_clips']} clips"
    lines = [
        f"controls on {data['name']}/{data['split']}, {clips}",
        "",
        *_aligned(rows, left={0, 1}),
        "",
    ]
    for name, result in controls.items():
        if result["problems"]:
            n_problems = len(result["problems"])
            told = "1 problem:" if n_problems == 1 else f"{n_problems} problems, of which the first:"
            lines += [f"  {name}: {told}", *_problems(result, most=1)]
    stream.write("\n".join(lines) + "\n")


def _head(result: Mapping[str, Any]) -> Iterator[str]:
    data, protocol = result["dataset"], result["protocol"]["name"]
    title = result["model"].get("title") or result["model"]["name"]
    n_scored = data.get("n_scored", data["n_clips"])
    under = "single metrics" if protocol.startswith("metrics:") else f"protocol {protocol}"
    lost = f" ({why})" if (why := why_not_scored(result)) else ""
    yield f"{title} on {data['name']}/{data['split']}: {n_scored} of {data['n_clips']} clips scored{lost}, {under}"
    if part := coverage(data):
        yield f"  the data set here is {part}"
    elif "subset" in data:
        yield f"  subset {data['subset']['name']}: all of its {data['subset']['n_ids']:,} clips are here"
    if mixed := _MIXED.get((result.get("run") or {}).get("channels", "")):
        yield f"  {mixed}"
    if "matched_band" in (result.get("run") or {}):
        yield f"  {_band(result['run']['matched_band']['hz'])}"
    if draft.is_draft(result):
        yield f"  {draft.WHY}; such a result is shown, never ranked, never compared"
    elif result["status"] != "complete":
        why = f", since {why_unranked(result)}" if n_too_short(result) else ""
        yield f"  {result['status']}: such a result is shown, and never ranked{why}"


def _band(hz: float | None) -> str:
    if hz is None:
        return "matched bandwidth: the generated sound has the band of the real one, so both values are the same"
    return (
        f"matched bandwidth: the generated sound ends at {hz / 1000:.4g} kHz; `matched` is against real sound cut there"
    )


def _table(result: Mapping[str, Any], controls: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    takes = any("takes" in record for record in result["metrics"].values())
    shown = {name: controls[name] for name in CONTROLS if name in controls}
    matched = any("matched" in record for record in result["metrics"].values())
    head = ["", "value", "95 % interval", "unit", "better", "clips", *(["sd of takes"] if takes else [])]
    head += ["matched"] if matched else []
    rows = [[*head, *(CONTROLS[name] for name in shown), "name in commands"]]
    for name, record in result["metrics"].items():
        row = [
            _title(name),
            _shown(record["value"]),
            "-" if record["low"] is None else f"{_shown(record['low'])} to {_shown(record['high'])}",
            unit_words(name, record["unit"]),
            "higher ↑" if record["better"] == "higher" else "lower ↓",
            f"{record['n_used']}/{record['n_asked']}",
        ]
        row += [f"{record['takes']['sd']:.2g}" if "takes" in record else "-"] if takes else []
        row += [_shown(record.get("matched", {}).get("value"))] if matched else []
        rows.append([*row, *(_value(other, name) for other in shown.values()), name])
    yield ""
    yield from _aligned(rows, left={0, 3, 4, len(rows[0]) - 1})
    for name, record in result["metrics"].items():
        if record["value"] is None:
            yield f"  no {_title(name)} ({name}): {record['reason']}"
    yield from _fewer(result)
    yield from _notes(result["metrics"])
    if takes:
        yield "  several takes of a clip: averaged within the clip; intervals are over clips; sd between takes"
    yield ""


def _fewer(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield, for counts of clips below that of the head, why; metrics of equal counts and reasons share a line."""
    titles: dict[str, list[str]] = {}
    n_scored = result["dataset"].get("n_scored", result["dataset"]["n_clips"])
    for name, record in result["metrics"].items():
        if record["n_used"] < min(n_scored, record["n_asked"]) and record["value"] is not None:
            told = f"{record['n_used']} of {record['n_asked']} clips: {why_fewer(result, name)}"
            titles.setdefault(told, []).append(name)
    yield from (f"  {_listed(names)}: {told}" for told, names in titles.items())


def _notes(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield each note once, with the metrics that share the note."""
    noted: dict[str, list[str]] = {}
    for name, record in metrics.items():
        for note in record.get("notes", ()):
            noted.setdefault(note, []).append(name)
    for note, names in noted.items():
        yield f"  {_together(names, metrics)}: {note}"


def _together(names: Sequence[str], metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the titles of metrics; one expression when they are all, or all that have an interval."""
    if len(names) == len(metrics) > 1:
        return "all metrics"
    if len(names) > 1 and set(names) == {name for name, record in metrics.items() if record["low"] is not None}:
        return "all metrics with an interval"
    others = [name for name in metrics if name not in names]
    if len(others) < len(names) and len(names) > _FEW_NAMES:
        return f"all metrics but {_listed(others)}"
    return _listed(names)


def _listed(names: Sequence[str]) -> str:
    """Return the titles of metrics, apart by semicolons where a title holds a comma."""
    titles = [_title(name) for name in names]
    return ("; " if any("," in title for title in titles) else ", ").join(titles)


def _aligned(rows: Sequence[Sequence[str]], left: set[int]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield ("  " + "  ".join(cells)).rstrip()


def _value(result: Mapping[str, Any], name: str, digits: int = 4) -> str:
    return _shown(result["metrics"].get(name, {}).get("value"), digits)


def _shown(value: float | None, digits: int = 4) -> str:
    if value is None:
        return "-"
    return "0" if abs(value) < _ROUNDING else f"{value:.{digits}g}"


def _title(name: str) -> str:
    """Return a metric's title; its name when it is not ours."""
    try:
        return str(registry.load("metrics", name).title)
    except FoleyError:
        return name


def _problems(result: Mapping[str, Any], most: int = _MOST_TOLD) -> Iterator[str]:
    problems = result["problems"]
    for problem in problems[:most]:
        yield f"  {problem['clip_id']}: {problem['kind']}: {problem['detail']}"
    if len(problems) > most:
        yield f"  ... and {len(problems) - most} more problems, all in the result file"
    leftovers = (result.get("run") or {}).get("leftovers")
    if leftovers:
        more = f", and {leftovers['n'] - _LEFTOVERS_TOLD} more" if leftovers["n"] > _LEFTOVERS_TOLD else ""
        yield f"  left over in the audio folder: {'; '.join(leftovers['first'][:_LEFTOVERS_TOLD])}{more}"


def controls_beside(path: Path) -> dict[str, dict[str, Any]]:
    """Return the controls' results that lie beside a result and are about the same clips under the same protocol.

    Those beside a draft are drafts too.
    """
    from foleybench.artefacts import result as results

    own = results.read_result(path)
    ending = draft.SUFFIX if draft.is_draft(own) else ""
    found = {}
    for name in CONTROLS:
        for other in sorted(path.parent.glob(f"{name}{ending}.*.json")):
            try:
                result = results.read_result(other)
            except ResultError:
                continue  # not one of our results; reading the folder will name the file
            same = all(_about(result)[key] == value for key, value in _about(own).items())
            if same and result["model"]["kind"] == "control":
                found[name] = result
    return found


def _about(result: Mapping[str, Any]) -> dict[str, Any]:
    subset = (result["dataset"].get("subset") or {}).get("sha256")
    manifest = result["dataset"]["manifest_sha256"]
    return {"manifest": manifest, "subset": subset, "protocol": result["protocol"]["name"]}


def next_commands(
    args: argparse.Namespace, controls: Mapping[str, Any], result: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Yield the commands that a user may want to run after scoring a folder.

    Args:
        args: Arguments of ``foleybench eval``.
        controls: The results that ``controls_beside`` found.
        result: The folder's own, whose problems decide some of the commands.
    """
    if result and n_too_short(result) and result["model"]["kind"] in RANKED_KINDS:
        yield from _for_shorter(args)
    data = ["--reference", str(args.reference)] if args.reference else ["--data", str(args.data)]
    same = [*data, *(["--dataset-name", args.dataset_name] if args.dataset_name else [])]
    same += ["--protocol", args.protocol] if args.protocol else []
    same += [word for name in args.metric or () for word in ("--metric", name)]
    same += ["--precision", args.precision] if args.precision != WHOLE else []
    same += ["--out", str(args.out)] if args.out != _default_out() else []
    if not controls:
        yield "next, what real audio, shifted audio, another clip's audio and noise get on these clips:"
        yield f"  {shlex.join(['foleybench', 'eval', '--controls', *same])}"
    results = [] if args.out == _default_out() else ["--results", str(args.out), "--out", str(args.out.parent)]
    yield "next, a table and a page of all results:"
    yield f"  {shlex.join(['foleybench', 'leaderboard', *results])}"


def _for_shorter(args: argparse.Namespace) -> Iterator[str]:
    """Yield how a system is ranked whose audio is shorter than the clips."""
    yield "next, to rank a system whose audio is shorter than the clips: score no more of a clip than it makes, by a"
    yield "protocol with a cut (`--protocol avbench`: the first 8 s), or against clips of its length:"
    videos = str(args.reference) if args.reference else "VIDEOS"
    words = ["foleybench", "prepare", "folder", videos, "--clip-seconds", "SECONDS", "--out", "shards/shorter"]
    yield f"  {shlex.join(words)}"


def _default_out() -> Path:
    from foleybench.commands._options import RESULTS

    return RESULTS


def tell_pairing(pairing: Pairing, stream: TextIO) -> None:
    """Describe how two folders match: number of matches, files without a match, changed names."""
    from foleybench.scoring import folders

    listed, matched = pairing.listed, pairing.matched
    n_videos = len({file.source_id for file in listed.clips})
    of_videos = f" of {n_videos} videos" if n_videos != len(listed.clips) else ""
    n_files = sum(map(len, matched.files.values()))
    takes = f" ({n_files} takes)" if n_files != len(matched.files) else ""
    lines = [f"{len(listed.clips)} real clips{of_videos}, {len(matched.files)} with generated audio{takes}"]
    if not n_files and not matched.missing:
        lines = [f"{len(listed.clips)} real clips{of_videos}"]
    lines += _few([f"  {line}" for line in folders.mismatches(pairing)], "more do not match")
    lines += _few([f"  {line}" for line in folders.renamed(pairing)], "more names were made safe")
    stream.write("\n".join(lines) + "\n")


def _few(lines: list[str], rest: str) -> list[str]:
    hidden = len(lines) - _MOST_TOLD
    return lines if hidden <= 0 else [*lines[:_MOST_TOLD], f"  ... and {hidden} {rest}"]
