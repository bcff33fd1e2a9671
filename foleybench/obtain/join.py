"""Picture and sound that a site serves as two files, as one file: packets copied, timestamps kept."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error

from foleybench.demux import choose_tracks, open_media
from foleybench.errors import MediaError


def join(video: Path, audio: Path, target: Path) -> Path:
    """Write both into a Matroska file.

    Raises:
        MediaError: One of them lacks its stream, or cannot be read.
    """
    with open_media(video) as first, open_media(audio) as second, av.open(str(target), "w", format="matroska") as out:
        picture, sound = choose_tracks(first, audio=False).video, choose_tracks(second, video=False).audio
        if picture is None:
            raise MediaError("no_video", "the file of the picture holds none")
        if sound is None:
            raise MediaError("no_audio", "the file of the sound holds none")
        streams = {id(picture): out.add_stream_from_template(picture), id(sound): out.add_stream_from_template(sound)}
        try:
            for _, _, packet in heapq.merge(_packets(first, picture, 0), _packets(second, sound, 1)):
                packet.stream = streams[id(picture if packet.stream.type == "video" else sound)]
                out.mux(packet)
        except av.error.FFmpegError as error:
            raise MediaError("undecodable", f"picture and sound cannot be joined: {error.strerror}") from error
    return target


def _packets(container: Any, stream: Any, number: int) -> Iterator[tuple[float, int, Any]]:
    for packet in container.demux(stream):
        if packet.dts is not None:
            yield float(packet.dts * packet.time_base), number, packet
