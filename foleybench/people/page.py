"""Write a listening test: an opaque page and its key.

``page/index.html`` and ``page/media/`` are what raters get; ``key.json`` stays outside of ``page/``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from foleybench.api.model import BuildContext, Generator, clip_rng, rate_of
from foleybench.artefacts.audio_folder import find_files
from foleybench.artefacts.listening import KEY_FILE, study_id, write_key
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError, MediaError
from foleybench.files import write_atomically
from foleybench.load import load_model
from foleybench.media.audio import fit_length, flac_bytes
from foleybench.media.hear import hear
from foleybench.pages.clip_media import clip_ids_with_video, load_shown, video_bytes
from foleybench.pages.template import choose_clips, fill, trusted
from foleybench.people.screening import CHECKS, rule_words
from foleybench.people.trials import TrialPlan, make_plan
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import open_dataset

_PACKAGE = "foleybench.people"
QUESTION = "Which sound fits the video better?"
PAGE, MEDIA = "page", "media"
# Names of the sounds of checks: those of the controls, so that their votes meet their rows in the leaderboard.
REFERENCE = "ground_truth"
ANCHORS = ("other_class", "other_clip", "noise")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TestRequest:
    """What a listening test is made of.

    Attributes:
        data: Manifest of the data set.
        audio: Name -> audio folder of each system.
        names: Name -> name map of that folder, where stems are not clip ids.
        out: Folder of the test.
        question: What raters are asked.
        n_clips: How many clips are drawn.
        n_trials: Pairs of systems that a rater judges.
        n_checks: Checks that a rater gets.
        n_raters: How many raters have an order of their own; more begin again with the first.
        reference: ``hidden`` (in checks alone), ``system`` (also compared with each system) or ``none`` (no checks).
        anchor: A control, or "" for the one that fits the data.
        seed: Decides clips, order and ids.
        force: Whether a test that is there is written over.
    """

    __test__ = False  # no test of pytest's

    data: Path
    audio: Mapping[str, Path]
    names: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    out: Path
    question: str = QUESTION
    n_clips: int = 20
    n_trials: int = 40
    n_checks: int = CHECKS
    n_raters: int = 40
    reference: str = "hidden"
    anchor: str = ""
    seed: int = 0
    force: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class ListeningTest:
    """What was written.

    Attributes:
        page: The page.
        key: The key.
        plan: Who judges what.
        anchor: The control that checks use, or "".
        left_out: Clips that were drawn and are not in it, each with the reason.
    """

    page: Path
    key: Path
    plan: TrialPlan
    anchor: str
    left_out: tuple[tuple[str, str], ...]


def write_listening_test(request: TestRequest) -> ListeningTest:
    """Write a listening test.

    Raises:
        FoleyError: Nothing to compare, a folder is missing, or no clip has the sound of every system.
    """
    data = open_dataset(request.data)
    data.require_clips()
    clip_ids = clip_ids_with_video(data)
    if not clip_ids:
        raise FoleyError(f"{request.data} has no pictures; raters judge sound with its video.")
    anchor = _anchor(request, data)
    sources = {clip_id: data.entry(clip_id).source for clip_id in clip_ids}
    chosen = choose_clips(clip_ids, request.n_clips, request.seed)
    files = {name: find_files(path, sources, request.names.get(name)) for name, path in request.audio.items()}
    _require_free(request)
    media = _Media(request.out / PAGE / MEDIA, request.seed)
    try:
        left_out = _fill(media, chosen, data, files, request, anchor)
        return _write(request, data, media, anchor, left_out)
    except BaseException:  # Ctrl-C too: half a page without a key would refuse the next try
        shutil.rmtree(request.out / PAGE, ignore_errors=True)
        raise


def _require_free(request: TestRequest) -> None:
    """Make room for the page; a folder of that name that is no page of ours stays.

    Raises:
        FoleyError: There is a test already, or a folder in the way.
    """
    page = request.out / PAGE
    if (request.out / KEY_FILE).exists():
        if not request.force:
            raise FoleyError(
                f"{request.out} holds a listening test, and its votes need its key. Name another folder with --out, or "
                "write over it with --force."
            )
        (request.out / KEY_FILE).unlink()
        shutil.rmtree(page, ignore_errors=True)
    if page.exists():
        raise FoleyError(f"{page} is there already, without a key. Delete it, or name another folder with --out.")


def _fill(
    media: _Media,
    chosen: Sequence[str],
    data: ShardDataset,
    files: Mapping[str, Mapping[str, Path]],
    request: TestRequest,
    anchor: str,
) -> tuple[tuple[str, str], ...]:
    """Write the media of the clips that have every sound; return the others, each with the reason."""
    left_out = []
    maker = load_model(anchor).build(BuildContext(data=data)) if anchor else None
    for clip_id in chosen:
        try:
            clip = load_shown(data, clip_id)
            sounds = _sounds(clip, {name: found.get(clip_id) for name, found in files.items()}, request)
            media.add(clip_id, video_bytes(data, clip), sounds, maker, anchor)
        except MediaError as error:
            left_out.append((clip_id, error.reason))
    if not media.videos:
        told = "; ".join(f"{clip_id}: {why}" for clip_id, why in left_out[:3])
        raise FoleyError(f"no clip has the sound of every system. {told}.")
    return tuple(left_out)


def _anchor(request: TestRequest, data: ShardDataset) -> str:
    """Return the control of the checks: another class's sound where clips have classes."""
    if request.reference == "none":
        return ""
    labels = {entry.label for entry in data.entries()}
    return request.anchor or ("other_class" if len(labels) > 1 else "other_clip")


@dataclasses.dataclass(frozen=True)
class _Sounds:
    """A clip with the sound of each system: (samples, rate in Hz)."""

    clip: Clip
    of: Mapping[str, tuple[AudioArray, int]]


def _sounds(clip: Clip, files: Mapping[str, Path | None], request: TestRequest) -> _Sounds:
    found = {name: _sound(name, path, clip) for name, path in files.items()}
    if request.reference != "none":
        if clip.audio is None:
            raise MediaError("no_audio", "it has no real sound for the checks")
        found[REFERENCE] = clip.audio, clip.rate_hz
    return _Sounds(clip, found)


def _sound(name: str, path: Path | None, clip: Clip) -> tuple[AudioArray, int]:
    if path is None:
        raise MediaError("missing", f"{name} has no file for it")
    try:
        audio, rate_hz, *_ = hear(path, max_s=clip.duration_s + 1.0)
    except MediaError as error:
        raise MediaError(error.status, f"{name}: {error.reason}") from error
    return fit_length(audio, Clock(clip.duration_s).samples(rate_hz)), rate_hz


class _Media:
    """The files of a page under ids that say nothing."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self.videos: dict[str, str] = {}
        self.sounds: dict[tuple[str, str], str] = {}
        self.durations_s: dict[str, float] = {}

    def add(self, clip_id: str, video: bytes, sounds: _Sounds, maker: Generator | None, anchor: str) -> None:
        """Write the video of a clip, and every sound of it."""
        clip = sounds.clip
        made = dict(sounds.of)
        if maker:
            (audio,) = maker.generate([clip], clip_rng(self._seed, clip_id))
            made[anchor] = audio, rate_of(maker, clip)
        self.videos[clip_id] = self._put("video", clip_id, video, "mp4")
        self.durations_s[clip_id] = clip.duration_s
        for name, (audio, rate_hz) in made.items():
            self.sounds[clip_id, name] = self._put(name, clip_id, flac_bytes(audio, rate_hz), "flac")

    def _put(self, what: str, clip_id: str, content: bytes, ending: str) -> str:
        digest = hashlib.sha256(json.dumps([self._seed, what, clip_id]).encode() + content).hexdigest()[:12]
        write_atomically(self._folder / f"{digest}.{ending}", content)
        return digest


def _write(
    request: TestRequest, data: ShardDataset, media: _Media, anchor: str, left_out: tuple[tuple[str, str], ...]
) -> ListeningTest:
    systems = [*request.audio, *([REFERENCE] if request.reference == "system" else [])]
    plan = make_plan(
        list(media.videos),
        systems,
        (REFERENCE, anchor) if anchor else None,
        n_trials=request.n_trials,
        n_checks=request.n_checks,
        n_raters=request.n_raters,
        seed=request.seed,
    )
    header = data.manifest.header
    key: dict[str, Any] = {
        "question": request.question,
        "dataset": {"name": header.dataset, "split": header.split, "manifest_sha256": data.manifest.sha256},
        "systems": systems,
        "reference": REFERENCE if anchor else None,
        "anchor": anchor or None,
        "rule": rule_words(request.n_checks) if anchor else "no screening: the page has no checks",
        "seed": request.seed,
        "sources": {clip_id: data.entry(clip_id).source_id for clip_id in media.videos},
        "sounds": {name: {"clip_id": c, "system": s} for (c, s), name in media.sounds.items()},
    }
    key["study"] = study_id(key)
    write_key(request.out / KEY_FILE, key)
    path = request.out / PAGE / "index.html"
    write_atomically(path, _html(request, key["study"], plan, media).encode())
    return ListeningTest(page=path, key=request.out / KEY_FILE, plan=plan, anchor=anchor, left_out=left_out)


def _html(request: TestRequest, study: str, plan: TrialPlan, media: _Media) -> str:
    """Return the page. Its items are sorted by opaque ids, so that their order says nothing either."""
    items = [
        (media.videos[i.clip_id], media.sounds[i.clip_id, i.first], media.sounds[i.clip_id, i.second], i.clip_id)
        for i in plan.items
    ]
    order = sorted(range(len(items)), key=lambda index: sorted(items[index][1:3]))
    place = {index: position for position, index in enumerate(order)}
    shown = [_item(*items[index], media) for index in order]
    orders = [
        [2 * place[t.item] + (t.turned != (items[t.item][1] > items[t.item][2])) for t in trials]
        for trials in plan.orders
    ]
    content = {"study": study, "question": request.question, "items": shown, "orders": orders}
    return fill(
        _PACKAGE,
        "listen.html.j2",
        css=trusted("foleybench.pages", "theme.css") + trusted(_PACKAGE, "listen.css"),
        js=trusted("foleybench.pages", "playback.js") + trusted(_PACKAGE, "listen.js"),
        question=request.question,
        content=_script_json(content),
        n_trials=len(orders[0]),
    )


def _item(video: str, first: str, second: str, clip_id: str, media: _Media) -> list[Any]:
    return [video, *sorted((first, second)), round(media.durations_s[clip_id], 3)]


def _script_json(content: Mapping[str, Any]) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def system_names(audio: Mapping[str, Path], anchors: Sequence[str] = ANCHORS) -> None:
    """Refuse systems that are named like the sounds of the checks.

    Raises:
        FoleyError: Which.
    """
    taken = [name for name in audio if name in (REFERENCE, *anchors)]
    if taken:
        raise FoleyError(f"--audio names {taken[0]!r}, which is a name of the checks; give the folder another name.")
