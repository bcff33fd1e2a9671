"""``foleybench eval``: score a model, or a folder of audio."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from foleybench import registry
from foleybench.commands._options import (
    RESULTS,
    add_choice,
    add_data,
    add_sampling,
    add_subset,
    choice_of,
    sampling_of,
    subset_of,
    whole_number,
)
from foleybench.errors import EXIT_OK, EXIT_PARTIAL, FoleyError

if TYPE_CHECKING:
    from foleybench.artefacts.clip_table import ClipTable
    from foleybench.scoring.evaluate import Request

HELP = "score a model, or a folder of generated sound, under a protocol or by single metrics"
EXAMPLE = "foleybench eval --audio out/my_model --name my_model --data shards/synthfoley/test.manifest.jsonl"
PROTOCOL = "synth"
ALL = "all"
CONTROLS = (
    *("ground_truth", "other_clip", "other_class", "shift_100ms", "shift_500ms", "shift_1s", "shift_2s"),
    *("band_limited", "vocoded", "noise", "silence"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="generate with this model, then score (a name, or path/to/file.py:NAME)")
    what.add_argument("--audio", type=Path, help="score this folder: <clip_id>.wav, .flac, or any file with sound")
    what.add_argument(
        "--avbench-cache", type=Path, help="score the features that av-benchmark extracted to this folder"
    )
    what.add_argument("--controls", action="store_true", help="score every control row: ground truth, noise ...")
    parser.add_argument("--gt-cache", type=Path, help="with --avbench-cache: av-benchmark's cache of the real clips")
    add_data(parser, required=False)
    add_choice(parser, PROTOCOL, f"; `{ALL}` shows how far they lie apart")
    parser.add_argument("--names", type=Path, help="CSV with the columns path,clip_id when stems are not clip ids")
    add_subset(parser)
    parser.add_argument("--work", type=Path, default=Path("out/audio"), help="where --model keeps its sound")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of result files (default: {RESULTS})")
    parser.add_argument(
        "--limit", type=whole_number(1), help="only the first clips; the result is marked partial, never ranked"
    )
    parser.add_argument("--resamples", type=whole_number(1), default=1000, help="bootstrap resamples (default: 1000)")
    parser.add_argument("--cache", type=Path, help="folder of the feature cache (default: the user's cache folder)")
    parser.add_argument(
        "--jobs", type=whole_number(0), default=0, help="processes that score clips (default: one a core, up to 8)"
    )
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="ray: score clips on a cluster")
    parser.add_argument("--dry-run", action="store_true", help="say what would be scored, and score nothing")
    add_sampling(parser)


def run(args: argparse.Namespace) -> int:
    """Score, write the result files, print their paths; 3 when some clips or metrics failed."""
    if args.data is None and not args.avbench_cache:
        raise FoleyError("--data is missing: name the manifest of a prepared split.")
    _check_places(args)
    if args.avbench_cache:
        return _score_cache(args)
    what = _check_choice(args)
    names = CONTROLS if args.controls else [args.model]
    if args.dry_run:
        sys.stderr.write(f"would score {args.audio or ', '.join(names)} on {args.data} under {what}\n")
        return EXIT_OK
    if args.audio:
        return _score_folder(args, args.audio, None)
    return max(_score_control(args, name) if args.controls else _score_model(args, name) for name in names)


def _check_places(args: argparse.Namespace) -> None:
    """Refuse a name that cannot be part of a file name, and folders that cannot be written to, before any work.

    Raises:
        FoleyError: Which, and what to do.
    """
    from foleybench.artefacts import audio_folder, result
    from foleybench.files import require_writable

    if args.controls and args.name:
        raise FoleyError("--controls has a name for every row: leave --name out.")
    folder = args.audio or args.avbench_cache
    if folder:
        generation = audio_folder.read_generation(folder) if args.audio else None
        result.require_safe_name(_card(generation, args.name, folder, None)["name"], "the name of the row,")
    elif args.model:
        result.require_safe_name(sampling_of(args, args.model).row_name, "the name of the row,")
    require_writable(args.out, "--out")
    if args.model or args.controls:
        require_writable(args.work, "--work")


def _check_choice(args: argparse.Namespace) -> str:
    """Load what is to be scored with and by whom, so that faults are told before any work; return what to call it.

    Raises:
        FoleyError: A name does not exist, a file has a fault, or weights are missing.
    """
    from foleybench.generation.folder import load_model
    from foleybench.scoring.choice import choose
    from foleybench.scoring.evaluate import require_weights

    if args.model:
        load_model(args.model)
    protocol, metrics = choice_of(args, PROTOCOL)
    if protocol == ALL:
        if metrics:
            raise FoleyError(f"--metric goes with one protocol or none, not with `--protocol {ALL}`.")
        return ALL
    choice = choose(protocol, metrics)
    if not args.dry_run:
        require_weights(choice.metrics)
    return ", ".join(filter(None, [choice.facts()["name"], *(registry.key(name) for name in metrics if protocol)]))


def _score_control(args: argparse.Namespace, name: str) -> int:
    """Score one control; say so when a data set cannot have it (no other class, for one) and go on."""
    try:
        return _score_model(args, name)
    except FoleyError as error:
        sys.stderr.write(f"foleybench: no row for control {name}: {error}\n")
        return EXIT_PARTIAL


def _score_model(args: argparse.Namespace, model: str) -> int:
    from foleybench.generation.folder import generate_folder
    from foleybench.shards.dataset import ShardDataset

    settings = sampling_of(args, model)
    data = ShardDataset(args.data)
    home = args.work / data.name / data.manifest.header.split / settings.row_name
    generate_folder(settings, args.data, home, limit=args.limit, force=args.force)
    return _score_folder(args, home, model)


def _score_folder(args: argparse.Namespace, audio: Path, model: str | None) -> int:
    from foleybench.artefacts import audio_folder
    from foleybench.features.cache import default_folder
    from foleybench.scoring.evaluate import Request, evaluate
    from foleybench.scoring.workers import usable_cores

    protocol, metrics = choice_of(args, PROTOCOL)
    request = Request(
        data=args.data,
        audio=audio,
        protocol=protocol,
        metrics=metrics,
        model=_card(audio_folder.read_generation(audio), args.name, audio, model),
        names=args.names,
        limit=args.limit,
        seed=args.seed,
        resamples=args.resamples,
        device=args.device,
        cache=args.cache or default_folder(),
        jobs=args.jobs or usable_cores(),
        engine=args.engine,
        subset=subset_of(args),
    )
    if protocol == ALL:
        return _score_everywhere(request, args.out)
    return _write(args.out, *evaluate(request))


def _write(out: Path, result: dict[str, Any], rows: ClipTable) -> int:
    """Write a result, tell it, print its path; 3 when something is missing in it."""
    from foleybench.artefacts import result as results

    path = results.write(out, result, rows)
    tell(result, sys.stderr)
    sys.stdout.write(f"{path}\n")
    incomplete = any(record["value"] is None for record in result["metrics"].values())
    return EXIT_PARTIAL if result["problems"] or result["status"] != "complete" or incomplete else EXIT_OK


def _score_cache(args: argparse.Namespace) -> int:
    from foleybench.scoring.avbench_cache import PROTOCOL as PROTOCOL_OF_CACHE
    from foleybench.scoring.avbench_cache import CacheRequest, evaluate_cache

    if args.metric or args.protocol not in (None, PROTOCOL_OF_CACHE):
        raise FoleyError(f"--avbench-cache is scored under {PROTOCOL_OF_CACHE}: leave --metric and --protocol out.")
    if args.gt_cache is None:
        raise FoleyError(
            "--avbench-cache needs --gt-cache: the folder of features that av-benchmark made of the real clips."
        )
    if args.dry_run:
        sys.stderr.write(f"would score the features in {args.avbench_cache} against {args.gt_cache}\n")
        return EXIT_OK
    request = CacheRequest(
        generated=args.avbench_cache,
        truth=args.gt_cache,
        model=_card(None, args.name, args.avbench_cache, None),
        data=args.data,
        names=args.names,
        seed=args.seed,
        resamples=args.resamples,
        device=args.device,
    )
    return _write(args.out, *evaluate_cache(request))


def _score_everywhere(request: Request, out: Path) -> int:
    """Score under every protocol, print the table of the spread and why cells are empty; write it as CSV."""
    from foleybench.files import write_atomically
    from foleybench.scoring import all_protocols
    from foleybench.shards.dataset import ShardDataset

    name = request.model["name"]
    cells = all_protocols.score_all(request)
    path = out / ShardDataset(request.data).name / f"{name}.spread.csv"
    write_atomically(path, all_protocols.as_csv(cells).encode())
    sys.stderr.write(f"{name} under every protocol\n\n{all_protocols.as_markdown(cells)}\n")
    sys.stderr.write("".join(f"no value: {line}\n" for line in all_protocols.why_not(cells)))
    sys.stdout.write(f"{path}\n")
    return EXIT_PARTIAL if any(cell.value is None for cell in cells) else EXIT_OK


def _card(generation: dict[str, Any] | None, name: str, audio: Path, model: str | None) -> dict[str, Any]:
    """Return the result's ``model`` section: from ``generation.json``, else what the user says."""
    if generation:
        return {**generation["model"], **({"name": name} if name else {})}
    if model:
        raise FoleyError(f"{audio} has no generation.json although {model} was just run; run it again with --force.")
    title = name or audio.resolve().name
    return {
        "name": title,
        "title": title,
        "kind": "model",
        "licence": "not stated",
        "description": "Sound made elsewhere.",
        "sees": [],
        "parameters": None,
        "checkpoint_sha256": None,
    }


def tell(result: dict[str, Any], stream: TextIO) -> None:
    """Write a result as a table for a person."""
    data = result["dataset"]
    lines = [f"{result['model']['title']} on {data['name']}/{data['split']}: {result['status']}"]
    if "subset" in data:
        subset = data["subset"]
        lines.append(f"  subset {subset['name']}: {subset['n_here']} of its {subset['n_ids']} clips are here")
    for name, record in result["metrics"].items():
        value = "undefined: " + record["reason"] if record["value"] is None else f"{record['value']:.4g}"
        interval = f" [{record['low']:.4g}, {record['high']:.4g}]" if record["low"] is not None else ""
        lines.append(f"  {name:22} {value}{interval} {record['unit']}  n={record['n_used']}/{record['n_asked']}")
    lines += [f"  {p['clip_id']}: {p['kind']}: {p['detail']}" for p in result["problems"][:20]]
    hidden = len(result["problems"]) - 20
    lines += [f"  ... and {hidden} more problems, all in the result file"] if hidden > 0 else []
    stream.write("\n".join(lines) + "\n")
