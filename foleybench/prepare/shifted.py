"""Find clips of different splits that show the same seconds, shifted.

``foleybench.prepare.sound_marks`` proposes pairs whose audio shares seconds; the shared seconds of both are then
compared by their fingerprints, and where these agree, the frames too. Each audio track is read once, and those that
are met a second time: of n clips, n, not n squared. The marks of all splits but the largest are held in memory, about
7 KB a clip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foleybench.clips import Clip
from foleybench.errors import ManifestError
from foleybench.prepare.duplicates import MOST_PICTURE, MOST_SOUND_ALONE
from foleybench.prepare.normalise.fingerprint import audio_fingerprint, bit_difference, part_levels, video_fingerprint
from foleybench.prepare.sound_marks import MarkIndex, SoundMarks, sound_marks
from foleybench.shards.dataset import ShardDataset

SHIFTED, SHIFTED_SOUND = "shifted", "shifted_sound"
# Fewer seconds hold too little for a fingerprint to tell.
LEAST_SHARED_S = 2.0
_MOST_LOOKS = 40
_LUMA = (0.299, 0.587, 0.114)


class Shifted(NamedTuple):
    """Two clips of different splits that share seconds.

    Attributes:
        first: The one that starts earlier, ``<split>/<clip id>``.
        second: The other.
        kind: ``shifted``, or ``shifted_sound`` where only the audio agrees.
        shift_s: How much later the second starts.
        shared_s: How many seconds both have.
    """

    first: str
    second: str
    kind: str
    shift_s: float
    shared_s: float


class _Place(NamedTuple):
    data: ShardDataset
    split: str
    clip_id: str

    @property
    def name(self) -> str:
        return f"{self.split}/{self.clip_id}"

    def load(self, *, video: bool) -> Clip:
        return self.data.load(self.clip_id, video=video)


def find_shifted(
    manifests: Mapping[str, Path], known: Callable[[str, str], bool], n_unread: dict[str, int]
) -> Iterator[Shifted]:
    """Yield the pairs of clips of different splits that share seconds at any shift.

    Args:
        manifests: The manifest of each split, beside its shards.
        known: Whether two names are known as copies of each other; such pairs are passed over.
        n_unread: Gets the number of clips of each split whose audio could not be read, where there are any.
    """
    datasets = {split: ShardDataset(path) for split, path in manifests.items()}
    held: list[tuple[Sequence[_Place], MarkIndex]] = []
    # The largest split last: its marks need not be held.
    by_size = sorted(datasets, key=lambda split: (len(datasets[split]), split))
    for split in by_size:
        places, marks = list[_Place](), list[SoundMarks]()
        for place, found in _marks(datasets[split], split, n_unread):
            for others, index in held:
                for meeting in index.meet(found):
                    other = others[meeting.place]
                    if not known(other.name, place.name):
                        yield from _compare(other, place, meeting.shift_s)
            if split != by_size[-1]:
                places.append(place)
                marks.append(found)
        held.append((places, MarkIndex(marks)))


def _marks(data: ShardDataset, split: str, n_unread: dict[str, int]) -> Iterator[tuple[_Place, SoundMarks]]:
    for entry in data.entries():
        place = _Place(data, split, entry.clip_id)
        try:
            clip = place.load(video=False)
        except ManifestError:
            n_unread[split] = n_unread.get(split, 0) + 1
            continue
        if clip.audio is not None:
            yield place, sound_marks(clip.audio, clip.rate_hz)


def _compare(one: _Place, other: _Place, shift_s: float) -> Iterator[Shifted]:
    """Yield the pair if the seconds that both have are the same: those of ``other`` start ``shift_s`` later."""
    first, second = (one, other) if shift_s >= 0.0 else (other, one)
    shift_s = abs(shift_s)
    a, b = (place.load(video=False) for place in (first, second))
    shared_s = min(a.duration_s - shift_s, b.duration_s)
    if shared_s < LEAST_SHARED_S or _sound_apart(a, b, shift_s, shared_s) > MOST_SOUND_ALONE:
        return
    a, b = (place.load(video=True) for place in (first, second))
    same_picture = _picture_apart(a, b, shift_s, shared_s) <= MOST_PICTURE
    kind = SHIFTED if same_picture else SHIFTED_SOUND
    yield Shifted(first.name, second.name, kind, round(shift_s, 3), round(shared_s, 3))


def _sound_apart(a: Clip, b: Clip, shift_s: float, shared_s: float) -> float:
    """Return the share of bits in which the fingerprints of the shared audio differ; 1 where one has none."""
    prints = []
    for clip, start_s in ((a, shift_s), (b, 0.0)):
        assert clip.audio is not None
        start, n = round(start_s * clip.rate_hz), round(shared_s * clip.rate_hz)
        prints.append(audio_fingerprint(clip.audio[start : start + n], clip.rate_hz))
    return _apart(*prints)


def _picture_apart(a: Clip, b: Clip, shift_s: float, shared_s: float) -> float:
    return _apart(_picture(a, shift_s, shared_s), _picture(b, 0.0, shared_s))


def _picture(clip: Clip, start_s: float, shared_s: float) -> str | None:
    """Return the fingerprint of the video from ``start_s`` on; None where there is none."""
    if clip.frames is None:
        return None
    times = clip.frame_times_s
    shown = np.flatnonzero((times >= start_s - 1e-6) & (times < start_s + shared_s - 1e-6))
    looks = [part_levels(clip.frames[k] @ np.array(_LUMA)) for k in shown[:: max(1, len(shown) // _MOST_LOOKS)]]
    return video_fingerprint(looks)


def _apart(a: str | None, b: str | None) -> float:
    return 1.0 if a is None or b is None else bit_difference(a, b)
