"""Find clips of different splits that overlap in time.

Copies that show the same seconds of one video need no fingerprint to be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

OVERLAP = "overlap"
# Only the ids of videos on the web name one video wherever they stand: two folders may each have an "a.mp4".
_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
# Cuts are exact to a frame or so: clips that follow each other share nothing.
_LEAST_S = 0.1


class Stretch(NamedTuple):
    """The seconds of a source video that a clip shows.

    Attributes:
        name: ``<split>/<clip id>``.
        split: The split.
        video_id: The video.
        start_s: First second that is shown.
        end_s: Last second that is shown.
    """

    name: str
    split: str
    video_id: str
    start_s: float
    end_s: float


def stretch_of(record: Mapping[str, Any], split: str) -> Stretch | None:
    """Return the interval of a line of a manifest; None for what is not usable, or not a part of a known video."""
    video_id, facts = str(record.get("source_id", "")), record.get("facts", {})
    start_s, end_s = facts.get("real_start_s"), facts.get("real_end_s")
    known = _VIDEO_ID.fullmatch(video_id) and str(record["clip_id"]).startswith(f"{video_id}_")
    if record["status"] != "ok" or not known or start_s is None or end_s is None:
        return None
    return Stretch(f"{split}/{record['clip_id']}", split, video_id, float(start_s), float(end_s))


def find_overlaps(intervals: Iterable[Stretch]) -> Iterator[tuple[Stretch, Stretch, float]]:
    """Yield pairs of different splits that share time, with how many seconds; ordered by video and start.

    Sorted once; within a video, each clip is compared with those that start before it ends.
    """
    ordered = sorted(intervals, key=lambda one: (one.video_id, one.start_s, one.name))
    open_ones: list[Stretch] = []
    for one in ordered:
        open_ones = [other for other in open_ones if other.video_id == one.video_id and other.end_s > one.start_s]
        for other in open_ones:
            shared_s = min(one.end_s, other.end_s) - one.start_s
            if other.split != one.split and shared_s >= _LEAST_S:
                yield other, one, shared_s
        open_ones.append(one)
