"""Join separately served video and audio into one file.

Packets are copied with their timestamps.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error

from foleybench.errors import NO_ROOM, MediaError
from foleybench.media.demux import choose_tracks, open_media


def join(one: Path, other: Path, target: Path) -> Path:
    """Copy the video of one file and the audio of the other, in either order, into a Matroska file.

    Raises:
        MediaError: Video or audio is missing, or cannot be read.
    """
    with open_media(one) as first, open_media(other) as second, av.open(str(target), "w", format="matroska") as out:
        if not first.streams.video:
            first, second = second, first
        picture, sound = choose_tracks(first, audio=False).video, choose_tracks(second, video=False).audio
        if picture is None:
            raise MediaError("no_video", "the file of the video holds none")
        if sound is None:
            raise MediaError("no_audio", "the file of the audio holds none")
        streams = {id(picture): out.add_stream_from_template(picture), id(sound): out.add_stream_from_template(sound)}
        try:
            for _, _, packet in heapq.merge(_packets(first, picture, 0), _packets(second, sound, 1)):
                packet.stream = streams[id(picture if packet.stream.type == "video" else sound)]
                out.mux(packet)
        except av.error.FFmpegError as error:
            if error.errno in NO_ROOM:
                raise
            raise MediaError("undecodable", f"video and audio cannot be joined: {error.strerror}") from error
    return target


def _packets(container: Any, stream: Any, number: int) -> Iterator[tuple[float, int, Any]]:
    for packet in container.demux(stream):
        # Samples that an audio encoder puts before time 0 are padding. In MP4 it is skipped; Matroska, which knows no
        # time before 0, would have everything begin later by as much.
        if packet.dts is not None and not (stream.type == "audio" and packet.pts is not None and packet.pts < 0):
            yield float(packet.dts * packet.time_base), number, packet
