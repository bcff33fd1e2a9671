"""``foleybench eval``: score a model, or a folder of audio."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleybench import registry
from foleybench.commands._eval_checks import ALL, check_choice, check_places, check_readable, pair_folders, row_card
from foleybench.commands._options import (
    FITTING,
    RESULTS,
    add_choice,
    add_data,
    add_sampling,
    add_subset,
    generation_settings,
    subset_of,
    whole_number,
)
from foleybench.errors import EXIT_OK, EXIT_PARTIAL, FoleyError
from foleybench.runtime.precision import PRECISIONS, WHOLE, require_precision

if TYPE_CHECKING:
    from foleybench.artefacts.clip_table import ClipTable
    from foleybench.scoring.evaluate import EvalRequest

HELP = "score a model, or a folder of generated audio, under a protocol or by single metrics"
EXAMPLE = "foleybench eval --audio my_outputs --reference my_videos"
# Controls that need clips with labels.
OF_CLASSES = ("other_class",)
CONTROLS = (
    *("ground_truth", "other_clip", "other_class", "shift_100ms", "shift_500ms", "shift_1s", "shift_2s"),
    *("band_limited", "vocoded", "noise", "silence", "metronome"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="generate with this model, then score (a name, or path/to/file.py:NAME)")
    what.add_argument(
        "--audio",
        type=Path,
        help="score this folder of audio or video files; files match clips by name; takes: clip/0.wav, clip/1.wav",
    )
    what.add_argument(
        "--avbench-cache", type=Path, help="score the features that av-benchmark extracted to this folder"
    )
    what.add_argument("--controls", action="store_true", help="score every control row: ground truth, noise ...")
    parser.add_argument("--gt-cache", type=Path, help="with --avbench-cache: av-benchmark's cache of the real clips")
    add_data(parser, required=False)
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="DIR",
        help="in place of --data: a folder with the real audio (audio or video files); nothing is written beside it",
    )
    parser.add_argument(
        "--dataset-name", default="", metavar="NAME", help="with --reference: name in tables (default: the folder's)"
    )
    add_choice(parser, FITTING, f"; `{ALL}` shows how far their values differ")
    parser.add_argument(
        "--names", type=Path, metavar="CSV", help="table path,clip_id[,take] for files whose names are not the clips'"
    )
    parser.add_argument(
        "--captions",
        type=Path,
        metavar="CSV",
        help="table clip_id,caption (or path,caption) for metrics that read words",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the value of every clip to this table")
    add_subset(parser)
    parser.add_argument(
        "--match-bandwidth",
        action="store_true",
        help="also score against the real sound limited to the band of the generated one; the table shows both values",
    )
    parser.add_argument("--work", type=Path, default=Path("out/audio"), help="where --model keeps its sound")
    parser.add_argument(
        "--out",
        type=Path,
        default=RESULTS,
        help=f"folder of result files, which name no folder outside of the current one (default: {RESULTS})",
    )
    _add_scoring(parser)
    add_sampling(parser)


def _add_scoring(parser: argparse.ArgumentParser) -> None:
    """Add the options of how much is scored, and how."""
    parser.add_argument(
        "--limit", type=whole_number(1), help="only the first clips; the result is marked partial, never ranked"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=WHOLE,
        help="bf16: a draft, with the networks of encoders in bfloat16 where the processor or the GPU has it; its row "
        "is called NAME+draft, never ranked and never compared (default: float32)",
    )
    parser.add_argument(
        "--resamples", type=whole_number(1), default=1000, help="random sign vectors of an interval (default: 1000)"
    )
    parser.add_argument("--cache", type=Path, help="folder of the feature cache (default: the user's cache folder)")
    parser.add_argument(
        "--jobs", type=whole_number(0), default=0, help="processes that score clips (default: one a core, up to 8)"
    )
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="ray: score clips on a cluster")
    parser.add_argument("--dry-run", action="store_true", help="say what would be scored, and score nothing")


def run(args: argparse.Namespace) -> int:
    """Score, write the result files, print their paths; 3 when some clips or metrics failed."""
    if (args.data or args.reference) is None and not args.avbench_cache:
        raise FoleyError(
            "there is nothing to compare with. Name a folder of real audio (--reference), or a prepared set (--data)."
        )
    check_readable(args)
    check_places(args)
    if args.avbench_cache:
        return _score_cache(args)
    from foleybench.scoring.device import usable_device

    args.device = usable_device(args.device)
    require_precision(args.precision, args.device)
    if args.reference:
        pair_folders(args)
    protocol, metrics = check_choice(args)
    names = _controls(args) if args.controls else [args.model]
    if args.dry_run:
        under = ", ".join(filter(None, [protocol, *map(registry.key, metrics)]))
        what = args.audio or ", ".join(names)
        sys.stderr.write(f"would score {what} on {args.reference or args.data} under {under}\n")
        return EXIT_OK
    job = _Job(args, protocol, metrics)
    if args.audio:
        return job.score(args.audio, None)
    if args.controls:
        return job.controls(names)
    return job.generate(args.model)


def _controls(args: argparse.Namespace) -> list[str]:
    """Return the controls that apply to a data set; name those that do not."""
    from foleybench.shards.folder_dataset import open_dataset

    if args.dry_run and not args.data.is_file():
        return list(CONTROLS)
    labels = {entry.label for entry in open_dataset(args.data).entries()}
    if len(labels) > 1:
        return list(CONTROLS)
    sys.stderr.write(f"left out: {', '.join(OF_CLASSES)}, since the clips have no labels of several classes\n")
    return [name for name in CONTROLS if name not in OF_CLASSES]


class _Job:
    """One command's scoring: the same data, protocol and settings for every row."""

    def __init__(self, args: argparse.Namespace, protocol: str | None, metrics: tuple[str, ...]) -> None:
        self._args, self._protocol, self._metrics = args, protocol, metrics
        self._results: dict[str, dict[str, Any]] = {}

    def controls(self, names: Sequence[str]) -> int:
        """Score controls and print them in one table; a control that does not apply is named, and the rest goes on."""
        from foleybench.commands._result_text import tell_controls

        codes = [EXIT_OK]
        for name in names:
            try:
                codes.append(self.generate(name))
            except FoleyError as error:
                sys.stderr.write(f"foleybench: no row for control {name}: {error}\n")
                codes.append(EXIT_PARTIAL)
        if self._results:
            tell_controls(self._results, sys.stderr)
        return max(codes)

    def generate(self, model: str) -> int:
        """Make a model's audio and score it."""
        from foleybench.generation.folder import generate_folder
        from foleybench.shards.folder_dataset import open_dataset

        args = self._args
        settings = generation_settings(args, model)
        data = open_dataset(args.data)
        split = data.manifest.header.split
        # Many folders share a name, and audio made for another data set must not be scored.
        place = f"{split}-{data.manifest.sha256[:8]}" if args.reference else split
        home = args.work / data.name / place / settings.row_name
        generate_folder(settings, args.data, home, limit=args.limit, force=args.force, batch=args.batch)
        return self.score(home, model)

    def score(self, audio: Path, model: str | None) -> int:
        """Score a folder of audio."""
        from foleybench.artefacts import audio_folder
        from foleybench.features.cache import default_folder
        from foleybench.scoring.evaluate import EvalRequest, evaluate
        from foleybench.scoring.workers import usable_cores

        args = self._args
        request = EvalRequest(
            data=args.data,
            audio=audio,
            protocol=self._protocol,
            metrics=self._metrics,
            model=row_card(audio_folder.read_generation(audio), args.name, audio, model),
            names=None if model else args.names,
            limit=args.limit,
            seed=args.seed,
            resamples=args.resamples,
            device=args.device,
            cache=args.cache or default_folder(),
            jobs=args.jobs or usable_cores(),
            engine=args.engine,
            subset=subset_of(args),
            captions=args.captions,
            match_bandwidth=args.match_bandwidth,
            precision=args.precision,
        )
        if self._protocol == ALL:
            return _score_everywhere(request, args.out)
        return self._write(*evaluate(request))

    def _write(self, result: dict[str, Any], rows: ClipTable) -> int:
        from foleybench.commands._result_text import controls_beside, next_commands

        args = self._args
        if args.csv:
            self._write_csv(rows)
        path, code = finish_result(args.out, result, rows, told=not args.controls)
        self._results[result["model"]["name"]] = result
        if args.audio:
            sys.stderr.writelines(f"{line}\n" for line in next_commands(args, controls_beside(path), result))
        return code

    def _write_csv(self, rows: ClipTable) -> None:
        from foleybench.artefacts.clip_values import write_clip_values
        from foleybench.scoring.choice import choose

        whole = write_clip_values(self._args.csv, rows, choose(self._protocol, self._metrics).metrics)
        without = f" (without a column, since they have no value per clip: {', '.join(whole)})" if whole else ""
        sys.stderr.write(f"wrote {self._args.csv}{without}\n")


def finish_result(out: Path, result: dict[str, Any], rows: ClipTable, *, told: bool = True) -> tuple[Path, int]:
    """Write a result, print its table and path; return it, and 3 when values or clips are missing."""
    from foleybench.artefacts import result as results
    from foleybench.commands._result_text import controls_beside, tell

    path = results.write_result(out, result, rows)
    if told:
        tell(result, sys.stderr, controls_beside(path) if result["model"]["kind"] != "control" else {})
    sys.stdout.write(f"{path}\n")
    incomplete = any(record["value"] is None for record in result["metrics"].values())
    return path, EXIT_PARTIAL if result["problems"] or not _whole(result) or incomplete else EXIT_OK


def _whole(result: dict[str, Any]) -> bool:
    """Return whether every clip asked for was scored; a draft is what was asked for, though never complete."""
    from foleybench.artefacts.draft import is_draft

    scored: bool = result["dataset"].get("n_scored") == result["dataset"]["n_clips"]
    return result["status"] == "complete" or (is_draft(result) and scored)


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
        model=row_card(None, args.name, args.avbench_cache, None),
        data=args.data,
        names=args.names,
        seed=args.seed,
        resamples=args.resamples,
        device=args.device,
    )
    return finish_result(args.out, *evaluate_cache(request))[1]


def _score_everywhere(request: EvalRequest, out: Path) -> int:
    """Score under every protocol, print all values and why some are missing; write them as CSV."""
    from foleybench.files import write_atomically
    from foleybench.scoring import all_protocols
    from foleybench.shards.folder_dataset import open_dataset

    name = request.row["name"]
    cells = all_protocols.score_under_all(request)
    path = out / open_dataset(request.data).name / f"{name}.spread.csv"
    write_atomically(path, all_protocols.as_csv(cells).encode())
    sys.stderr.write(f"{name} under every protocol\n\n{all_protocols.as_markdown(cells)}\n")
    sys.stderr.write("".join(f"no value: {line}\n" for line in all_protocols.why_not(cells)))
    sys.stdout.write(f"{path}\n")
    return EXIT_PARTIAL if any(cell.value is None for cell in cells) else EXIT_OK
