"""Run a model on the clips of a data set.

A model is given only what its card says it sees; all else is removed from the clip first. Randomness comes from
(seed, clip id) alone, so order, batching and resuming change nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.api.model import (
    LOUDEST,
    BatchGenerator,
    BuildContext,
    Generator,
    Model,
    clip_rng,
    rate_of,
    require_usable,
)
from foleybench.artefacts import audio_folder
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError, MediaError
from foleybench.files import file_sha256
from foleybench.generation.speed import measure_speed, synchronise
from foleybench.load import load_model
from foleybench.media.audio import write_wav
from foleybench.runtime.progress import Progress
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import FolderDataset, open_dataset

SPEED_BATCH = 8
# Clips of a run in batches that are made one by one and timed.
TIMED = 16
# A model without usable audio for this many clips will have none for the rest either.
MOST_REFUSED = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerationSettings:
    """How a model is built and sampled.

    Attributes:
        model: Registry name, or ``file.py:NAME``.
        name: Name of the row in tables; the model's name when empty.
        checkpoint: Checkpoint folder or file.
        seed: Seed of the sampling.
        device: Torch device name.
        nfe: Number of network evaluations, or None for the model's default.
        guidance: Guidance scale, or None for the model's default.
        sampler: How a flow or a diffusion is sampled, or None for the model's default.
        level_share: How far a flow's sample follows the loudness of its first estimate, 0 to 1, or None.
        vocoder: Checkpoint folder of a trained vocoder, or None for the model's own vocoder.
    """

    model: str
    name: str = ""
    checkpoint: Path | None = None
    seed: int = 0
    device: str = "cpu"
    nfe: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    level_share: float | None = None
    vocoder: Path | None = None

    @property
    def row_name(self) -> str:
        """Name of the row: given, or made from the model's name and what differs from its defaults."""
        if self.name:
            return self.name
        stem = Path(self.model.rpartition(":")[0]).stem if ":" in self.model else self.model
        asked = [f"nfe{self.nfe}"] if self.nfe else []
        asked += [f"cfg{self.guidance:g}"] if self.guidance else []
        asked += [self.sampler] if self.sampler else []
        asked += [f"level{self.level_share:g}"] if self.level_share else []
        return "-".join([stem, *asked, *(["vocos"] if self.vocoder else [])])


def row_title(settings: GenerationSettings, model: Model) -> str:
    """Return the title of the row, which distinguishes two rows of one model."""
    differs = [f"{settings.nfe} NFE"] if settings.nfe else []
    differs += [f"guidance {settings.guidance:g}"] if settings.guidance else []
    differs += [settings.sampler] if settings.sampler else []
    differs += [f"level share {settings.level_share:g}"] if settings.level_share else []
    differs += ["trained vocoder"] if settings.vocoder else []
    return ", ".join([model.title, *differs])


def build_generator(settings: GenerationSettings, data: ShardDataset | None) -> tuple[Model, Generator]:
    """Load a model's card and build its generator.

    Raises:
        FoleyError: The model needs a checkpoint and none was given, or was given a vocoder or a level share and uses
            none.
    """
    model = load_model(settings.model)
    if model.needs_checkpoint and settings.checkpoint is None:
        raise FoleyError(
            f"model {settings.model!r} needs a checkpoint: train one with `foleybench train {settings.model}` "
            "and name it with --checkpoint."
        )
    context = BuildContext(
        device=settings.device,
        checkpoint=settings.checkpoint,
        data=data,
        nfe=settings.nfe,
        guidance=settings.guidance,
        sampler=settings.sampler,
        level_share=settings.level_share,
        vocoder=settings.vocoder,
    )
    generator = model.build(context)
    if settings.vocoder and not getattr(generator, "vocoder", None):
        raise FoleyError(f"model {settings.model!r} makes its audio without a vocoder; leave --vocoder out.")
    if settings.level_share is not None and getattr(generator, "level_share", None) is None:
        raise FoleyError(f"model {settings.model!r} samples no flow whose loudness is told; leave --level-share out.")
    return model, generator


def visible_part(clip: Clip, model: Model) -> Clip:
    """Return the clip without what the model may not see (label and factors count as events)."""
    events = "events" in model.sees
    return dataclasses.replace(
        clip,
        frames=clip.frames if "video" in model.sees else None,
        audio=clip.audio if "audio" in model.sees else None,
        events=clip.events if events else None,
        label=clip.label if events or "audio" in model.sees else "",
        factors=clip.factors if events else {},
    )


def generate_one(model: Model, generator: Generator, clip: Clip, seed: int) -> AudioArray:
    """Generate the audio of one clip and check the model's contract.

    Raises:
        FoleyError: The audio has the wrong length.
        MediaError: ``not_finite``: the audio holds a sample that is NaN, infinite, or 20 dB over full scale.
    """
    audio = generator.generate([visible_part(clip, model)], clip_rng(seed, clip.clip_id))[0]
    return _checked(model, generator, clip, audio)


def generate_together(model: Model, generator: BatchGenerator, clips: Sequence[Clip], seed: int) -> list[AudioArray]:
    """Generate the audio of several clips at once: what each would get alone, up to rounding.

    Raises:
        FoleyError: Some audio has the wrong length.
        MediaError: ``not_finite``, as in ``generate_one``, of some clip.
    """
    seen = [visible_part(clip, model) for clip in clips]
    made = generator.generate_batch(seen, [clip_rng(seed, clip.clip_id) for clip in clips])
    return [_checked(model, generator, clip, audio) for clip, audio in zip(clips, made, strict=True)]


def _checked(model: Model, generator: Generator, clip: Clip, audio: AudioArray) -> AudioArray:
    wanted = Clock(clip.duration_s).samples(rate_of(generator, clip))
    if audio.shape != (wanted,):
        raise FoleyError(f"{model.title} made {audio.shape} samples for {clip.clip_id}; ({wanted},) are wanted.")
    require_usable(audio, LOUDEST, "samples")
    return audio


def generate_folder(
    settings: GenerationSettings, data_path: Path, out: Path, *, limit: int | None, force: bool, batch: int = 1
) -> Path:
    """Generate the audio of every clip of a data set; goes on where a killed run stopped.

    Args:
        settings: The model and its sampling.
        data_path: Manifest.
        out: Audio folder.
        limit: Only the first clips, or None.
        force: Start over.
        batch: Clips at once, where the model can; the first ``TIMED`` are made one by one and timed all the same.

    Returns:
        The audio folder, with ``generation.json``; clips whose audio was not finite, and those that a control has
        nothing for, have no file and stand under ``refused`` there, with the reason.

    Raises:
        FoleyError: The folder holds the audio of other settings, or no clip got audio.
    """
    data = open_dataset(data_path)
    data.require_clips()
    model, generator = build_generator(settings, data)
    card = describe_model(settings, model, generator)
    clip_ids = data.clip_ids[:limit]
    record = _Record(out, card, clip_ids, {} if force else _resume(out, card))
    todo = [clip_id for clip_id in clip_ids if not record.has(clip_id)]
    # Shards did not round this real audio to 16 bits, so controls must not round it either.
    exact = isinstance(data, FolderDataset) and model.kind == "control"
    each = _made(settings, model, generator, data, todo, batch, n_timed=len(record.seconds))
    loaded: dict[str, Clip] = {}  # the first with audio, whose speed is measured at the end
    progress = Progress(each, total=len(todo), desc=f"generate {settings.row_name}", unit="clip")
    for count, made in enumerate(progress, 1):
        path = out / f"{made.clip.clip_id}.wav"
        if made.audio is None:
            path.unlink(missing_ok=True)  # of an earlier run
        else:
            write_wav(path, made.audio, rate_of(generator, made.clip), exact=exact)
            if len(loaded) < SPEED_BATCH:
                loaded[made.clip.clip_id] = made.clip
        record.add(made)
        _require_some_sound(settings, record)
        if count % 16 == 0:
            record.write()
    _require_some_sound(settings, record, most=0)
    chosen = record.with_sound()[:SPEED_BATCH]
    clips = [loaded.get(clip_id) or data.load(clip_id, video="video" in model.sees) for clip_id in chosen]
    seen = [visible_part(clip, model) for clip in clips]
    record.write(speed=measure_speed(generator, seen, seed=settings.seed, device=settings.device))
    return out


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Made:
    """The audio of a clip, with its seconds where it was timed; or no audio, and the reason."""

    clip: Clip
    audio: AudioArray | None = None
    seconds: float | None = None
    refused: tuple[str, str] = ("", "")  # kind of problem, reason


class _Record:
    """What ``generation.json`` says of the clips: seconds, which were made in batches, and which were refused."""

    def __init__(self, out: Path, card: dict[str, Any], clip_ids: Sequence[str], before: Mapping[str, Any]) -> None:
        self._out, self._card, self._clip_ids = out, card, clip_ids
        asked = set(clip_ids)
        seconds: Mapping[str, float] = before.get("seconds", {})
        self.seconds = {clip_id: value for clip_id, value in seconds.items() if clip_id in asked}
        self.untimed = asked & set(before.get("untimed", []))
        self.refused: dict[str, tuple[str, str]] = {}

    def has(self, clip_id: str) -> bool:
        return (clip_id in self.seconds or clip_id in self.untimed) and (self._out / f"{clip_id}.wav").is_file()

    def with_sound(self) -> list[str]:
        return [clip_id for clip_id in self._clip_ids if clip_id in self.seconds or clip_id in self.untimed]

    def add(self, made: _Made) -> None:
        if made.audio is None:
            self.refused[made.clip.clip_id] = made.refused
        elif made.seconds is None:
            self.untimed.add(made.clip.clip_id)
        else:
            self.seconds[made.clip.clip_id] = made.seconds

    def write(self, **more: Any) -> None:
        found = {"untimed": sorted(self.untimed), "refused": self.refused}
        kept = {key: value for key, value in found.items() if value}
        audio_folder.write_generation(self._out, {**self._card, "seconds": self.seconds, **more, **kept})


def _made(
    settings: GenerationSettings,
    model: Model,
    generator: Generator,
    data: ShardDataset,
    todo: Sequence[str],
    batch: int,
    *,
    n_timed: int,
) -> Iterator[_Made]:
    """Generate clips, one by one until ``TIMED`` are timed, then in batches; without batches all one by one."""
    together = isinstance(generator, BatchGenerator) and batch > 1
    n_alone = max(0, TIMED - n_timed) if together else len(todo)
    video = "video" in model.sees
    for count, clip_id in enumerate(todo[:n_alone]):
        clip = data.load(clip_id, video=video)
        if count == 0:
            _alone(settings, model, generator, clip)  # warm-up, not timed
        yield _alone(settings, model, generator, clip)
    for first in range(n_alone, len(todo), batch):
        clips = [data.load(clip_id, video=video) for clip_id in todo[first : first + batch]]
        assert isinstance(generator, BatchGenerator)
        try:
            made = generate_together(model, generator, clips, settings.seed)
        except MediaError:
            # One bad clip refuses the batch: alone, each says for itself.
            found = [_alone(settings, model, generator, clip) for clip in clips]
            yield from (dataclasses.replace(one, seconds=None) for one in found)
            continue
        yield from (_Made(clip=clip, audio=audio) for clip, audio in zip(clips, made, strict=True))


def _alone(settings: GenerationSettings, model: Model, generator: Generator, clip: Clip) -> _Made:
    started = time.perf_counter()
    try:
        audio = generate_one(model, generator, clip, settings.seed)
    except MediaError as error:
        return _Made(clip=clip, refused=(error.status, error.reason))
    synchronise(settings.device)
    return _Made(clip=clip, audio=audio, seconds=time.perf_counter() - started)


def _require_some_sound(settings: GenerationSettings, record: _Record, most: int = MOST_REFUSED) -> None:
    """Stop a model whose audio is always refused.

    Raises:
        FoleyError: No clip got audio, and more than ``most`` were refused; if ``most`` is not 0, as not finite.
    """
    # A control that has nothing for the first clips may have something for later ones.
    refused = {clip: why for clip, why in record.refused.items() if why[0] == "not_finite" or not most}
    if not record.with_sound() and len(refused) > most:
        clip_id, (kind, reason) = next(iter(refused.items()))
        raise FoleyError(
            f"{settings.row_name} made no audio for any of the first {len(record.refused)} clips; {clip_id}: "
            f"{kind}, {reason}.{' Check the weights of the model.' if kind == 'not_finite' else ''}"
        )


def describe_model(settings: GenerationSettings, model: Model, generator: Generator) -> dict[str, Any]:
    """Return the model's part of ``generation.json``: enough to generate the same audio again."""
    # What a control could draw depends on the data.
    card: Model = getattr(generator, "card", None) or model
    level = {} if settings.level_share is None else {"level_share": settings.level_share}
    return {
        "model": {
            "name": settings.row_name,
            "registry_name": settings.model,
            "title": row_title(settings, card),
            "kind": model.kind,
            "licence": model.licence,
            "description": card.description,
            "sees": sorted(model.sees),
            "parameters": getattr(generator, "n_parameters", None),
            "checkpoint_sha256": checkpoint_sha256(settings.checkpoint),
        },
        "seed": settings.seed,
        "nfe": generator.nfe,
        "guidance": generator.guidance,
        "sampler": getattr(generator, "sampler", None),
        **level,
        "vocoder": getattr(generator, "vocoder", None),
        "device": settings.device,
        "threads": _threads(),
        "rate_hz": generator.rate_hz,
    }


def checkpoint_sha256(checkpoint: Path | None) -> str | None:
    """Return the hash of a checkpoint file, or of the weights files of a checkpoint folder; None without one."""
    if checkpoint is None:
        return None
    if checkpoint.is_file():
        return file_sha256(checkpoint)
    digest = hashlib.sha256()
    for path in sorted(checkpoint.rglob("*.safetensors")):
        digest.update(f"{path.relative_to(checkpoint)}|{file_sha256(path)}|".encode())
    return digest.hexdigest()


def _resume(out: Path, card: dict[str, Any]) -> Mapping[str, Any]:
    """Return what ``generation.json`` says of the clips already made; refuse a folder made with other settings."""
    before = audio_folder.read_generation(out)
    if before is None:
        return {}
    changed = sorted(key for key in card if before.get(key) != card[key] and key != "threads")
    if changed:
        raise FoleyError(
            f"{out} holds audio made with another {', '.join(changed)}. Use --force to make it again, or another --out."
        )
    return before


def _threads() -> int:
    import torch

    return torch.get_num_threads()
