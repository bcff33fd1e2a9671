"""Run a model on the clips of a data set.

A model is given only what its card says it sees; all else is removed from the clip first. Randomness comes from
(seed, clip id) alone, so order, batching and resuming change nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foleybench.api.model import LOUDEST, BuildContext, Generator, Model, clip_rng, rate_of, require_usable
from foleybench.artefacts import audio_folder
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError, MediaError
from foleybench.files import file_sha256
from foleybench.load import load_model
from foleybench.media.audio import write_wav
from foleybench.runtime.progress import Progress
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import FolderDataset, open_dataset

SPEED_BATCH = 8
SPEED_REPEATS = 5
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
        return "-".join([stem, *asked, *(["vocos"] if self.vocoder else [])])


def row_title(settings: GenerationSettings, model: Model) -> str:
    """Return the title of the row, which distinguishes two rows of one model."""
    differs = [f"{settings.nfe} NFE"] if settings.nfe else []
    differs += [f"guidance {settings.guidance:g}"] if settings.guidance else []
    differs += [settings.sampler] if settings.sampler else []
    differs += ["trained vocoder"] if settings.vocoder else []
    return ", ".join([model.title, *differs])


def build_generator(settings: GenerationSettings, data: ShardDataset | None) -> tuple[Model, Generator]:
    """Load a model's card and build its generator.

    Raises:
        FoleyError: The model needs a checkpoint and none was given, or was given a vocoder and uses none.
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
        vocoder=settings.vocoder,
    )
    generator = model.build(context)
    if settings.vocoder and not getattr(generator, "vocoder", None):
        raise FoleyError(f"model {settings.model!r} makes its audio without a vocoder; leave --vocoder out.")
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
    wanted = Clock(clip.duration_s).samples(rate_of(generator, clip))
    if audio.shape != (wanted,):
        raise FoleyError(f"{model.title} made {audio.shape} samples for {clip.clip_id}; ({wanted},) are wanted.")
    require_usable(audio, LOUDEST, "samples")
    return audio


def generate_folder(
    settings: GenerationSettings, data_path: Path, out: Path, *, limit: int | None, force: bool
) -> Path:
    """Generate the audio of every clip of a data set; goes on where a killed run stopped.

    Args:
        settings: The model and its sampling.
        data_path: Manifest.
        out: Audio folder.
        limit: Only the first clips, or None.
        force: Start over.

    Returns:
        The audio folder, with ``generation.json``; clips whose audio was not finite have no file and stand under
        ``refused`` there, with the reason.

    Raises:
        FoleyError: The folder holds the audio of other settings, or no clip got audio.
    """
    data = open_dataset(data_path)
    model, generator = build_generator(settings, data)
    card = describe_model(settings, model, generator)
    done = {} if force else _resume(out, card)
    clip_ids = data.clip_ids[:limit]
    todo = [clip_id for clip_id in clip_ids if clip_id not in done or not (out / f"{clip_id}.wav").is_file()]
    video = "video" in model.sees
    # Shards did not round this real audio to 16 bits, so controls must not round it either.
    exact = isinstance(data, FolderDataset) and model.kind == "control"
    seconds: dict[str, float] = {k: v for k, v in done.items() if k in set(clip_ids)}
    refused: dict[str, str] = {}
    for count, clip_id in enumerate(Progress(todo, desc=f"generate {settings.row_name}", unit="clip"), 1):
        clip = data.load(clip_id, video=video)
        path = out / f"{clip_id}.wav"
        try:
            if count == 1:
                generate_one(model, generator, clip, settings.seed)  # warm-up, not timed
            started = time.perf_counter()
            audio = generate_one(model, generator, clip, settings.seed)
        except MediaError as error:
            path.unlink(missing_ok=True)  # of an earlier run
            refused[clip_id] = error.reason
            _require_some_sound(settings, seconds, refused)
            continue
        _synchronise(settings.device)
        seconds[clip_id] = time.perf_counter() - started
        write_wav(path, audio, rate_of(generator, clip), exact=exact)
        if count % 16 == 0:
            audio_folder.write_generation(out, {**card, "seconds": seconds})
    if not seconds and refused:
        _require_some_sound(settings, seconds, refused, most=0)
    speed = measure_speed(settings, model, generator, data, [one for one in clip_ids if one in seconds])
    bad = {"refused": refused} if refused else {}
    audio_folder.write_generation(out, {**card, "seconds": seconds, "speed": speed, **bad})
    return out


def _require_some_sound(
    settings: GenerationSettings, seconds: dict[str, float], refused: dict[str, str], most: int = MOST_REFUSED
) -> None:
    """Stop a model whose audio is always refused.

    Raises:
        FoleyError: No clip got audio, and more than ``most`` were refused.
    """
    if not seconds and len(refused) > most:
        clip_id, reason = next(iter(refused.items()))
        raise FoleyError(
            f"{settings.row_name} made no audio for any of the first {len(refused)} clips; {clip_id}: not_finite, "
            f"{reason}. Check the model's weights."
        )


def measure_speed(
    settings: GenerationSettings, model: Model, generator: Generator, data: ShardDataset, clip_ids: Sequence[str]
) -> dict[str, Any]:
    """Time generation after a warm-up, with the device synchronised, one clip at a time and in a batch.

    Timed: video features, network, vocoder. Not timed: decoding and writing files.

    Returns:
        Median seconds per clip and real-time factor (seconds of work per second of audio) for each batch size; none
        when some of that audio was not finite.
    """
    chosen = [data.load(clip_id, video="video" in model.sees) for clip_id in clip_ids[:SPEED_BATCH]]
    clips = [visible_part(clip, model) for clip in chosen]
    report: dict[str, Any] = {}
    for size in sorted({1, len(clips)} - {0}):
        batch = clips[:size]
        try:
            total = _median_seconds(settings, generator, batch)
        except MediaError:
            return {}
        duration_s = sum(clip.duration_s for clip in batch)
        report[f"batch_{size}"] = {"seconds_per_clip": total / size, "real_time_factor": total / duration_s}
    return report


def _median_seconds(settings: GenerationSettings, generator: Generator, batch: Sequence[Clip]) -> float:
    generator.generate(batch, clip_rng(settings.seed, "warm-up"))
    times = []
    for repeat in range(SPEED_REPEATS):
        started = time.perf_counter()
        generator.generate(batch, clip_rng(settings.seed, f"speed {repeat}"))
        _synchronise(settings.device)
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def describe_model(settings: GenerationSettings, model: Model, generator: Generator) -> dict[str, Any]:
    """Return the model's part of ``generation.json``: enough to generate the same audio again."""
    return {
        "model": {
            "name": settings.row_name,
            "registry_name": settings.model,
            "title": row_title(settings, model),
            "kind": model.kind,
            "licence": model.licence,
            "description": model.description,
            "sees": sorted(model.sees),
            "parameters": getattr(generator, "n_parameters", None),
            "checkpoint_sha256": checkpoint_sha256(settings.checkpoint),
        },
        "seed": settings.seed,
        "nfe": generator.nfe,
        "guidance": generator.guidance,
        "sampler": getattr(generator, "sampler", None),
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


def _resume(out: Path, card: dict[str, Any]) -> dict[str, float]:
    """Return the clips already made with their seconds; refuse a folder made with other settings."""
    before = audio_folder.read_generation(out)
    if before is None:
        return {}
    changed = sorted(key for key in card if before.get(key) != card[key] and key != "threads")
    if changed:
        raise FoleyError(
            f"{out} holds audio made with another {', '.join(changed)}. Use --force to make it again, or another --out."
        )
    seconds: dict[str, float] = before.get("seconds", {})
    return seconds


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _synchronise(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize()
