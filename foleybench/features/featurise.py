"""Turn clips into features, each encoder once per input.

Features come from the cache where it has them; the video of a clip is decoded only when an encoder that looks at it
has to run, and both channels are read only where an encoder hears them. A clip without a video, a caption or two
channels gets no features of encoders that look at it, read it or hear them, nor of those after them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from foleybench import registry
from foleybench.api.encoder import Encode, Encoder, Features, Signal
from foleybench.api.metric import Metric, Need
from foleybench.api.protocol import Frontend
from foleybench.clips import AudioArray, Clock, FloatArray, FrameArray
from foleybench.errors import FoleyError
from foleybench.features.cache import FeatureCache, audio_key, feature_key
from foleybench.features.frontend import apply as apply_frontend
from foleybench.media.audio import fit_length
from foleybench.runtime.extras import explained
from foleybench.runtime.precision import WHOLE, Precision, networks_in

# The encoder, and its input: "generated" or "reference" audio, "video" or "text" for features of the video or the
# caption alone.
Job = tuple[str, str]
PICTURE = "video"
CAPTION = "text"
_NO_SOUND = np.zeros(0, dtype=np.float32)
DecodeVideo = Callable[[], tuple[FrameArray, FloatArray]]
# Both channels (2, N) at the rate of the mono samples; None where a sound has not two.
ReadSides = Callable[[], AudioArray | None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncoderMaterial:
    """The inputs of one clip for encoders.

    Attributes:
        duration_s: Length that is scored, in seconds; frames are cut to it here, longer audio after the front end
            has processed all of it.
        sounds: (samples (N,), rate in Hz) by name, as ``generated`` and ``reference``.
        picture_sha256: Hash of the video for cache keys.
        look: Decodes the video: frames (T, H, W, 3) uint8 and their times in seconds (T,); None when there is none.
        caption: The clip's caption; "" when there is none.
        read_sides: Reads both channels of a sound, by its name in ``sounds``; a name that is missing has not two.
    """

    duration_s: float
    sounds: dict[str, tuple[AudioArray, int]]
    picture_sha256: str
    decode_video: DecodeVideo | None
    caption: str = ""
    read_sides: Mapping[str, ReadSides] = dataclasses.field(default_factory=dict)


def depends_on(name: str) -> str | None:
    """Return the one input that decides an encoder's features: video or caption; None when audio counts."""
    encoder: Encoder = registry.load("encoders", name)
    if encoder.modality in (PICTURE, CAPTION):
        return encoder.modality
    earlier = set(map(depends_on, encoder.after))
    return earlier.pop() if encoder.modality == "features" and len(earlier) == 1 else None


def job(name: str, of: str) -> Job:
    """Return the job that makes an encoder's features of audio, or of the clip when audio does not decide them."""
    return name, depends_on(name) or of


def in_order(jobs: Iterable[Job]) -> list[Job]:
    """Return jobs with the jobs that they need, each once, in an order that respects the needs."""
    done: dict[Job, None] = {}

    def visit(name: str, of: str) -> None:
        for earlier in registry.load("encoders", name).after:
            visit(*job(earlier, of))
        done[name, of] = None

    for name, of in sorted(jobs):
        visit(name, of)
    return list(done)


def runs_network(name: str) -> bool:
    """Return whether an encoder, or one that it is given features of, has weights: its precision can be lowered."""
    encoder: Encoder = registry.load("encoders", name)
    return encoder.weights is not None or any(map(runs_network, encoder.after))


class Featuriser:
    """Runs encoders over chunks of clips.

    Features of a lower precision than float32 have keys and stores of their own in the cache.

    Attributes:
        jobs: The features that are made of each clip, in order.
        encoders: The encoders concerned, by name.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        device: str,
        cache: FeatureCache,
        frontend: Frontend | None = None,
        precision: Precision = WHOLE,
    ) -> None:
        self.jobs = in_order(jobs)
        self.encoders: dict[str, Encoder] = {name: registry.load("encoders", name) for name, _ in self.jobs}
        self._built: dict[str, Encode] = {}
        self._device = device
        self._cache = cache
        self._frontend = frontend or Frontend()
        self._precisions: dict[str, Precision] = {
            name: precision if runs_network(name) else WHOLE for name in self.encoders
        }

    def __call__(self, materials: Sequence[EncoderMaterial]) -> list[dict[Job, Features]]:
        """Return the features of each clip, by job; without those of the video or caption where the clip has none."""
        chunk = _Chunk(materials, self._frontend, self._precisions)
        for name, of in self.jobs:
            encoder = self.encoders[name]
            keys = {
                index: chunk.key(index, name, encoder, of)
                for index in range(len(materials))
                if not chunk.lacks(index, encoder, of)
            }
            store = registry.key(name) + _mark(self._precisions[name])
            known = self._cache.get(store, list(keys.values()))
            missing = [index for index, key in keys.items() if key not in known]
            signals = [chunk.signal(index, name, encoder, of) for index in missing]
            made = dict(zip(missing, self._encode(name, encoder, signals), strict=True))
            self._cache.put(store, {keys[index]: features for index, features in made.items()})
            for index, key in keys.items():
                chunk.found[index][name, of] = made[index] if index in made else known[key]
        return chunk.found

    def _encode(self, name: str, encoder: Encoder, signals: Sequence[Signal]) -> list[Features]:
        if not signals:
            return []
        if name not in self._built:
            self._built[name] = _built(name, encoder, self._device)
        try:
            with networks_in(self._precisions[name], self._device):
                return self._built[name](signals)
        except TypeError as error:
            if "BFloat16" not in str(error):  # what numpy says of a tensor that it has no type for
                raise
            raise FoleyError(
                f"encoder {name!r} returns bfloat16 in a draft, which numpy has not: let it call .float() before "
                ".numpy(), or leave --precision out."
            ) from error


def _mark(precision: Precision) -> str:
    """Return what tells a precision in the cache: nothing for float32, whose keys are older than drafts."""
    return "" if precision == WHOLE else f".{precision}"


def _built(name: str, encoder: Encoder, device: str) -> Encode:
    try:
        return encoder.build(device)
    except ModuleNotFoundError as error:
        told = explained(error, f"encoder {name!r}")
        if told is None:
            raise
        raise told from error


class _Chunk:
    """The clips that are processed together, with their features so far."""

    def __init__(
        self, materials: Sequence[EncoderMaterial], frontend: Frontend, precisions: Mapping[str, Precision]
    ) -> None:
        self._materials = materials
        self._frontend = frontend
        self._precisions = precisions
        self._keys: dict[tuple[int, Job], str] = {}
        self._audio_keys: dict[tuple[int, str], str] = {}
        self._resampled: dict[tuple[int, str, int, str], AudioArray] = {}
        self._pictures: dict[int, tuple[FrameArray, FloatArray]] = {}
        self._sides: dict[tuple[int, str], AudioArray | None] = {}
        self.found: list[dict[Job, Features]] = [{} for _ in materials]

    def lacks(self, index: int, encoder: Encoder, of: str) -> bool:
        """Return whether a clip lacks the input that an encoder, or one that it builds on, needs."""
        item = self._materials[index]
        without = (
            (encoder.reads and not item.caption)
            or (encoder.sees and item.decode_video is None)
            or (encoder.hears_sides and self._both(index, of) is None)
        )
        return without or any(job(other, of) not in self.found[index] for other in encoder.after)

    def key(self, index: int, name: str, encoder: Encoder, of: str) -> str:
        """Return the cache key of an encoder's features of a clip."""
        item = self._materials[index]
        earlier = [self._keys[index, job(other, of)] for other in encoder.after]
        key = feature_key(
            name,
            encoder,
            audio=self._heard_key(index, encoder, of),
            video=f"{item.picture_sha256}|{item.duration_s!r}" if encoder.sees else "",
            caption=item.caption if encoder.reads else "",
            frontend=self._frontend.of(name).name,
            earlier=earlier,
            precision=_mark(self._precisions[name]),
        )
        self._keys[index, (name, of)] = key
        return key

    def signal(self, index: int, name: str, encoder: Encoder, of: str) -> Signal:
        """Return an encoder's input of a clip."""
        item = self._materials[index]
        frames, times_s = self._picture(index) if encoder.sees else (None, None)
        frontend = self._frontend.of(name)
        return Signal(
            audio=self._sound(index, of, encoder.rate_hz, frontend) if encoder.hears else _NO_SOUND,
            duration_s=item.duration_s,
            frames=frames,
            frame_times_s=times_s,
            text=item.caption if encoder.reads else "",
            features={other: self.found[index][job(other, of)] for other in encoder.after},
            sides=self._sides_at(index, of, encoder.rate_hz, frontend) if encoder.hears_sides else None,
        )

    def _heard_key(self, index: int, encoder: Encoder, of: str) -> str:
        if not encoder.hears_sides:
            return self._audio_key(index, of) if encoder.hears else ""
        item, both = self._materials[index], self._both(index, of)
        assert both is not None  # ``lacks`` said so
        return f"sides|{audio_key(both, item.sounds[of][1])}|{item.duration_s!r}"

    def _both(self, index: int, of: str) -> AudioArray | None:
        if (index, of) not in self._sides:
            read = self._materials[index].read_sides.get(of)
            self._sides[index, of] = read() if read else None
        return self._sides[index, of]

    def _sides_at(self, index: int, of: str, rate_hz: int, frontend: Frontend) -> AudioArray:
        item, both = self._materials[index], self._both(index, of)
        assert both is not None  # ``lacks`` said so
        wanted = Clock(item.duration_s).samples(rate_hz)
        from_hz = item.sounds[of][1]
        return np.stack([fit_length(apply_frontend(frontend, side, from_hz, rate_hz), wanted) for side in both])

    def _audio_key(self, index: int, of: str) -> str:
        if (index, of) not in self._audio_keys:
            item = self._materials[index]
            audio, rate_hz = item.sounds[of]
            cut = "" if len(audio) == Clock(item.duration_s).samples(rate_hz) else f"|cut to {item.duration_s!r}"
            self._audio_keys[index, of] = audio_key(audio, rate_hz) + cut
        return self._audio_keys[index, of]

    def _sound(self, index: int, of: str, rate_hz: int, frontend: Frontend) -> AudioArray:
        slot = (index, of, rate_hz, frontend.name)
        if slot not in self._resampled:
            item = self._materials[index]
            audio, from_hz = item.sounds[of]
            wanted = Clock(item.duration_s).samples(rate_hz)
            self._resampled[slot] = fit_length(apply_frontend(frontend, audio, from_hz, rate_hz), wanted)
        return self._resampled[slot]

    def _picture(self, index: int) -> tuple[FrameArray, FloatArray]:
        if index not in self._pictures:
            item = self._materials[index]
            assert item.decode_video is not None  # ``lacks`` said so
            frames, times_s = item.decode_video()
            kept = times_s < item.duration_s
            self._pictures[index] = frames[kept], times_s[kept]
        return self._pictures[index]


def needs_of(metrics: Mapping[str, Metric]) -> list[Need]:
    """Return the features that metrics need, each once, in a fixed order."""
    return sorted(
        {need for metric in metrics.values() for need in metric.needs.values()},
        key=lambda need: (need.encoder, need.layer, need.of),
    )


def encoders_of(needs: Sequence[Need]) -> dict[str, Encoder]:
    """Return the encoders that the needs name, and those that these build on, by name."""
    names = {name for name, _ in in_order(job(need.encoder, need.of) for need in needs)}
    return {name: registry.load("encoders", name) for name in sorted(names)}
