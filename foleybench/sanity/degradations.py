"""Make real audio worse in steps, from mild to strong.

Random choices are nested: parts noisy, missing or swapped at a mild step are so at every stronger one, and the choice
depends on (seed, degradation, clip id) alone, so steps differ in nothing but their strength.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import hashlib
from collections.abc import Callable, Mapping

import numpy as np

from foleybench.clips import AudioArray, Clock
from foleybench.media.audio import fit_length, resample
from foleybench.sanity.codec import opus
from foleybench.shards.dataset import ShardDataset

# Length of a drop-out.
_HOLE_S = 0.05
# A step reads a clip several times, and at most one other.
_KEPT_CLIPS = 4


class Sounds:
    """The real audio of a data set's clips: as one channel, or one side of it (``one_side``).

    Attributes:
        clip_ids: The clips that are scored, in order.
        side: 0 for the left and 1 for the right channel of audio that has two; None for their mean.
    """

    def __init__(self, data: ShardDataset, clip_ids: list[str], seed: int) -> None:
        self.clip_ids = clip_ids
        self.side: int | None = None
        kept = functools.lru_cache(maxsize=_KEPT_CLIPS)
        self._mixed = kept(functools.partial(_mixed, data))
        self._sides = kept(functools.partial(_sides, data))
        self._seed = seed
        self._labels = {clip_id: data.entry(clip_id).label for clip_id in clip_ids}

    def one_side(self, side: int) -> Sounds:
        """Return one side of the same audio; a clip is read once for all sides."""
        found = copy.copy(self)
        found.side = side
        return found

    def own(self, clip_id: str) -> tuple[AudioArray, int]:
        """Return a clip's audio, of exactly its length, and its rate in Hz."""
        return self._channel(clip_id, self.side)

    def mixed(self, clip_id: str) -> AudioArray:
        """Return a clip's audio as one channel, of exactly its length."""
        return self._channel(clip_id, None)[0]

    def other_side(self, clip_id: str) -> AudioArray:
        """Return the other channel of a clip's audio; that of audio of one channel is the same."""
        return self._channel(clip_id, None if self.side is None else 1 - self.side)[0]

    def _channel(self, clip_id: str, side: int | None) -> tuple[AudioArray, int]:
        mixed, rate_hz = self._mixed(clip_id)
        both = None if side is None else self._sides(clip_id, len(mixed))
        return (mixed if both is None or side is None else both[side]).copy(), rate_hz

    def of(self, other: str, clip_id: str) -> AudioArray:
        """Return another clip's audio, at the rate and of the length of ``clip_id``."""
        own, rate_hz = self.own(clip_id)
        sound, other_hz = self.own(other)
        return fit_length(resample(sound, other_hz, rate_hz), len(own))

    def rng(self, what: str, clip_id: str = "") -> np.random.Generator:
        """Return the generator of a degradation, for one clip or for the whole set."""
        digest = hashlib.sha256(f"{self._seed}|{what}|{clip_id}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:8], "big"))

    def chosen(self, what: str, percent: float) -> list[str]:
        """Return the given share of the clips; a larger share contains every smaller one."""
        order = self.rng(what).permutation(len(self.clip_ids))
        return [self.clip_ids[i] for i in order[: round(percent / 100 * len(order))]]

    def other_class(self, clip_id: str) -> str | None:
        """Return a clip of another class, always the same one; None when there is no other class."""
        label = self._labels[clip_id]
        others = [other for other in self.clip_ids if self._labels[other] != label]
        return others[int(self.rng("other_class", clip_id).integers(len(others)))] if others else None


def _mixed(data: ShardDataset, clip_id: str) -> tuple[AudioArray, int]:
    """Return a clip's audio as one channel, shape (N,), of exactly its length, and the rate."""
    clip = data.load(clip_id, video=False)
    if clip.audio is None:
        raise ValueError(f"{clip_id} was loaded without its audio")
    return fit_length(clip.audio, Clock(clip.duration_s).samples(clip.rate_hz)), clip.rate_hz


def _sides(data: ShardDataset, clip_id: str, n: int) -> AudioArray | None:
    """Return a clip's two channels, shape (2, n); None where it has one."""
    both = data.sides(clip_id)
    return None if both is None else np.stack([fit_length(side, n) for side in both])


Change = Callable[[Sounds, str, float], AudioArray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Degradation:
    """One way to make audio worse.

    Attributes:
        title: Heading in tables and plots.
        unit: Unit of the levels.
        levels: Steps, from mild to strong.
        change: From (all clips' audio, clip id, level) to audio at the clip's own rate.
        of: The quality that suffers, in a word or two.
        of_classes: Whether it needs clips of several classes.
        of_sides: Whether it needs clips of two channels.
    """

    title: str
    unit: str
    levels: tuple[float, ...]
    change: Change
    of: str
    of_classes: bool = False
    of_sides: bool = False


def _noise(sounds: Sounds, clip_id: str, snr_db: float) -> AudioArray:
    own, _ = sounds.own(clip_id)
    noise = sounds.rng("noise", clip_id).standard_normal(len(own))
    return np.asarray(own + noise * _rms(own) * 10 ** (-snr_db / 20), dtype=np.float32)


def _low_pass(sounds: Sounds, clip_id: str, cutoff_hz: float) -> AudioArray:
    own, rate_hz = sounds.own(clip_id)
    spectrum = np.fft.rfft(own.astype(np.float64))
    spectrum[np.fft.rfftfreq(len(own), 1 / rate_hz) > cutoff_hz] = 0.0
    return np.asarray(np.fft.irfft(spectrum, len(own)), dtype=np.float32)


def _clip(sounds: Sounds, clip_id: str, drive_db: float) -> AudioArray:
    """Clip at this many dB below the peak, then restore the level."""
    own, _ = sounds.own(clip_id)
    limit = float(np.abs(own).max(initial=0.0)) * 10 ** (-drive_db / 20)
    cut = np.clip(own, -limit, limit)
    level = _rms(cut)
    return np.asarray(cut * (_rms(own) / level if level else 1.0), dtype=np.float32)


def _overdrive(sounds: Sounds, clip_id: str, drive_db: float) -> AudioArray:
    """Amplify the peak to this many dB above full scale, and clip at full scale, as a fixed-point file does."""
    own, _ = sounds.own(clip_id)
    peak = float(np.abs(own).max(initial=0.0))
    return np.asarray(np.clip(own * (10 ** (drive_db / 20) / peak if peak else 1.0), -1.0, 1.0), dtype=np.float32)


def _quieter(sounds: Sounds, clip_id: str, loss_db: float) -> AudioArray:
    own, _ = sounds.own(clip_id)
    return np.asarray(own * 10 ** (-loss_db / 20), dtype=np.float32)


def _late(sounds: Sounds, clip_id: str, delay_ms: float) -> AudioArray:
    own, rate_hz = sounds.own(clip_id)
    n = min(len(own), round(delay_ms / 1000 * rate_hz))
    return np.concatenate([np.zeros(n, dtype=np.float32), own[: len(own) - n]])


def _holes(sounds: Sounds, clip_id: str, percent: float) -> AudioArray:
    own, rate_hz = sounds.own(clip_id)
    length = max(1, round(_HOLE_S * rate_hz))
    draws = sounds.rng("holes", clip_id).random(-(-len(own) // length))
    return np.where(np.repeat(draws < percent / 100, length)[: len(own)], np.float32(0), own)


def _opus(sounds: Sounds, clip_id: str, kbps: float) -> AudioArray:
    own, rate_hz = sounds.own(clip_id)
    return opus(own, rate_hz, kbps)


def _mu_law(sounds: Sounds, clip_id: str, bits: float) -> AudioArray:
    """Quantise on the mu-law scale with this many bits."""
    own, _ = sounds.own(clip_id)
    steps = 2 ** (bits - 1)
    compressed = np.sign(own) * np.log1p(255.0 * np.minimum(np.abs(own), 1.0)) / np.log(256.0)
    rounded = np.round(compressed * steps) / steps
    return np.asarray(np.sign(rounded) * np.expm1(np.abs(rounded) * np.log(256.0)) / 255.0, dtype=np.float32)


def _class_swap(sounds: Sounds, clip_id: str, percent: float) -> AudioArray:
    other = sounds.other_class(clip_id) if clip_id in sounds.chosen("class_swap", percent) else None
    return sounds.of(other, clip_id) if other else sounds.own(clip_id)[0]


def _shuffled(sounds: Sounds, clip_id: str, percent: float) -> AudioArray:
    """Exchange the audio of the chosen clips among each other."""
    chosen = sounds.chosen("shuffled", percent)
    if clip_id not in chosen:
        return sounds.own(clip_id)[0]
    return sounds.of(chosen[(chosen.index(clip_id) + 1) % len(chosen)], clip_id)


def _narrowed(sounds: Sounds, clip_id: str, percent: float) -> AudioArray:
    """Bring both sides this far towards their mean."""
    own, _ = sounds.own(clip_id)
    return np.asarray(own + (sounds.mixed(clip_id) - own) * (percent / 100), dtype=np.float32)


def _sides_swapped(sounds: Sounds, clip_id: str, percent: float) -> AudioArray:
    """Exchange left and right of the chosen clips."""
    return sounds.other_side(clip_id) if clip_id in sounds.chosen("sides", percent) else sounds.own(clip_id)[0]


DEGRADATIONS: Mapping[str, Degradation] = {
    "noise": Degradation(title="White noise", unit="dB SNR", levels=(30, 20, 10, 0), change=_noise, of="quality"),
    "low_pass": Degradation(
        title="Low-pass", unit="Hz", levels=(6000, 3000, 1000, 300), change=_low_pass, of="quality"
    ),
    "clipping": Degradation(title="Clipping", unit="dB below peak", levels=(6, 12, 20, 30), change=_clip, of="quality"),
    "overdrive": Degradation(
        title="Driven beyond full scale", unit="dB", levels=(6, 12, 20, 30), change=_overdrive, of="quality"
    ),
    "gain": Degradation(title="Quieter", unit="dB", levels=(6, 12, 20, 30), change=_quieter, of="level"),
    # This curve ends where a late event comes nearer to the next event than to its own. Of the 5,089 intervals
    # between audible onsets in SynthFoley's test split 84 % are longer than 2 x 100 ms (5th percentile 105 ms, median
    # 477 ms). Real audio can be denser: of the 180 intervals between found onsets in 13 clips of VGGSound 59 % are, and
    # there the last step is no worse than the one before. Beyond, a late event lies near the next by chance, and how
    # late no longer matters: a curve of its own.
    "shift": Degradation(title="Late", unit="ms", levels=(10, 20, 40, 60, 100), change=_late, of="timing"),
    "far_shift": Degradation(
        title="Late beyond any tolerance", unit="ms", levels=(200, 500, 1000), change=_late, of="chance level"
    ),
    "drop_outs": Degradation(title="Drop-outs", unit="% of time", levels=(5, 15, 30, 60), change=_holes, of="quality"),
    "opus": Degradation(title="Opus", unit="kbit/s", levels=(64, 24, 12, 6), change=_opus, of="quality"),
    "mu_law": Degradation(title="Mu-law", unit="bits", levels=(8, 6, 4, 2), change=_mu_law, of="quality"),
    "class_swap": Degradation(
        title="Audio of another class",
        unit="% of clips",
        levels=(10, 25, 50, 100),
        change=_class_swap,
        of="meaning",
        of_classes=True,
    ),
    "shuffled": Degradation(
        title="Shuffled pairs", unit="% of clips", levels=(10, 25, 50, 100), change=_shuffled, of="pairing"
    ),
    "narrowed": Degradation(
        title="Narrowed to one channel",
        unit="% of the way",
        levels=(10, 25, 50, 100),
        change=_narrowed,
        of="stereo",
        of_sides=True,
    ),
    "sides_swapped": Degradation(
        title="Left and right exchanged",
        unit="% of clips",
        levels=(10, 25, 50, 100),
        change=_sides_swapped,
        of="stereo",
        of_sides=True,
    ),
}


def _rms(audio: AudioArray) -> float:
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if len(audio) else 0.0
