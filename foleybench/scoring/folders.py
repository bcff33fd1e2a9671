"""Score a folder of generated audio against one of reference audio."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from foleybench.artefacts.clip_table import ClipTable
from foleybench.artefacts.match import Matched, match, nearest
from foleybench.errors import FoleyError
from foleybench.features.cache import default_folder
from foleybench.media.folder import left_out, plain_name, printable
from foleybench.scoring.device import usable_device
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.scoring.fitting_protocol import fitting
from foleybench.shards.folder_dataset import ListedFolder, list_folder, open_dataset

_MOST_SHOWN = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pairing:
    """Two folders whose files were matched.

    Attributes:
        listed: The real audio, as a data set.
        matched: The generated file of each clip.
    """

    listed: ListedFolder
    matched: Matched


def pair(
    audio: Path | None, reference: Path, *, names: Path | None = None, dataset_name: str = "", cache: Path | None = None
) -> Pairing:
    """List the real audio and match the generated audio to it.

    Args:
        audio: Folder of generated audio or video; None to match nothing.
        reference: Folder of real audio or video.
        names: Name map (``artefacts.match``), or None to match by name.
        dataset_name: Name of the data set; made from the folder's name when empty.
        cache: Folder of the feature cache, where the listing is kept too; None for the user's.

    Raises:
        FoleyError: A folder is missing or holds nothing, or no file matches; the message has the nearest names.
    """
    name = dataset_name or plain_name(reference).lower()
    homes = [(cache or default_folder()) / "folders", Path(tempfile.gettempdir()) / "foleybench-folders"]
    listed = _list(reference, name, homes)
    if audio is None:
        return Pairing(listed=listed, matched=Matched(files={}, missing=[], unmatched=[]))
    pairing = Pairing(listed=listed, matched=match(audio, listed.sources, names))
    if not pairing.matched.files:
        told = "\n  ".join(list(mismatches(pairing))[:_MOST_SHOWN])
        raise FoleyError(
            f"no file of {audio} has the name of one of the {len(listed.clips)} clips in {reference}. Give them the "
            f"same names, or map them with --names CSV (columns path,clip_id).\n  {told}"
        )
    return pairing


def _list(reference: Path, name: str, homes: Sequence[Path]) -> ListedFolder:
    """Write the listing into the first folder that can be written to."""
    for home in homes[:-1]:
        try:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home):
                return list_folder(reference, dataset_name=name, home=home)
        except OSError:
            continue
    return list_folder(reference, dataset_name=name, home=homes[-1])


def mismatches(pairing: Pairing) -> Iterator[str]:
    """Yield a sentence for each file on either side that is not scored or has another name as its id."""
    matched, listed = pairing.matched, pairing.listed
    sources = listed.sources
    lonely = [Path(sources[clip_id]).stem for clip_id in matched.missing]
    for path in matched.unmatched:
        near = nearest(path.stem, lonely)
        yield f"generated {printable(path)}: no real audio of this name{_near(near)}"
    files = [path.stem for path in matched.unmatched]
    for clip_id in matched.missing:
        near = nearest(Path(sources[clip_id]).stem, files)
        yield f"real {sources[clip_id]}: no generated audio of this name{_near(near)}"
    for row in matched.unknown_rows:
        yield f"--names, {row}"
    for file in listed.doubled:
        yield f"real {printable(file.path)}: not used, {printable(file.same_as or file.path)} is the same clip"
    for side, lying in (("generated", matched.lying), ("real", listed.files)):
        yield from (f"{side}: {line}" for line in left_out(lying))


def _near(names: Sequence[str]) -> str:
    return f" (near: {', '.join(names)})" if names else ""


def renamed(pairing: Pairing) -> list[str]:
    """Return the names that could not be ids as they are, each with its id."""
    return [f"{printable(file.path)} is clip {file.clip_id}" for file in pairing.listed.clips if file.mapped]


def score_folders(
    audio: Path | str,
    reference: Path | str,
    *,
    protocol: str | None = None,
    metrics: Sequence[str] = (),
    names: Path | None = None,
    captions: Path | None = None,
    name: str = "",
    dataset_name: str = "",
    device: str = "auto",
    seed: int = 0,
    resamples: int = 1000,
    jobs: int = 1,
    cache: Path | None = None,
) -> tuple[dict[str, Any], ClipTable]:
    """Score a folder of generated audio against a folder of real audio, as ``foleybench eval --reference`` does.

    Args:
        audio: Folder of generated audio or video, flat or nested. Files match those of ``reference`` by name, whatever
            the ending; takes of a clip lie in a folder of its name (``clip/0.wav``).
        reference: Folder of real audio, of videos with it, or of both. Nothing is written beside it.
        protocol: A name from ``foleybench list protocols``; by default the richest that runs here on these files,
            unless ``metrics`` are named.
        metrics: Metrics beside the protocol's, or alone.
        names: CSV with the columns path,clip_id and, if wanted, take, for files of other names.
        captions: CSV with the columns clip_id (or path) and caption, for metrics that use captions.
        name: Name of the system; the name of ``audio`` when empty.
        dataset_name: Name of the data set; the name of ``reference`` when empty.
        device: Torch device; ``auto`` for CUDA if available.
        seed: Seed of the intervals' sign vectors.
        resamples: Number of sign vectors.
        jobs: Number of processes that score clips.
        cache: Folder of the feature cache; None for the user's.

    Returns:
        As ``evaluate``: the result, and a row for every real clip.

    Raises:
        FoleyError: Nothing matches, weights are missing, or the request makes no sense.

    Example:
        The real audio six decibels quieter, under the same names with another ending:

        >>> from foleybench import ShardDataset, score_folders
        >>> from foleybench.media.audio import flac_bytes, write_wav
        >>> (folder / "quieter").mkdir()
        >>> for clip in ShardDataset(manifest).clips(video=False):
        ...     write_wav(folder / "real" / f"{clip.label} {clip.clip_id[4:6]}.wav", clip.audio, clip.rate_hz)
        ...     quieter = flac_bytes(0.5 * clip.audio, clip.rate_hz)
        ...     _ = (folder / "quieter" / f"{clip.label} {clip.clip_id[4:6]}.flac").write_bytes(quieter)
        >>> result, rows = score_folders(folder / "quieter", folder / "real", metrics=["level_difference"])
        >>> record = result["metrics"]["level_difference"]
        >>> round(record["value"], 2), record["unit"], record["n_used"], rows[0]["clip_id"]
        (6.02, 'dB', 6, 'bounce_bar-00')
    """
    audio, reference = Path(audio), Path(reference)
    pairing = pair(audio, reference, names=names, dataset_name=dataset_name, cache=cache)
    if protocol is None and not metrics:
        protocol = fitting(open_dataset(pairing.listed.manifest), captions=captions is not None).protocol
    request = EvalRequest(
        data=pairing.listed.manifest,
        audio=audio,
        protocol=protocol,
        metrics=tuple(metrics),
        model=model_card(name or plain_name(audio), name or audio.resolve().name),
        names=names,
        captions=captions,
        seed=seed,
        resamples=resamples,
        device=usable_device(device),
        cache=cache or default_folder(),
        jobs=jobs,
    )
    return evaluate(request)


def model_card(name: str, title: str) -> dict[str, Any]:
    """Return a result's ``model`` section for a system known only by its audio."""
    return {
        "name": name,
        "title": title,
        "kind": "model",
        "licence": "not stated",
        "description": "Audio made elsewhere.",
        "sees": [],
        "parameters": None,
        "checkpoint_sha256": None,
    }
