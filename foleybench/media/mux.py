"""Write an audio track beside the video of a file.

An mp4 that plays, or a copy of the video in a container that takes its stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from foleybench.clips import AudioArray
from foleybench.errors import MediaError
from foleybench.media.demux import Reader, choose_tracks, frame_length_s, open_media
from foleybench.media.frames import Fitter, pixel_aspect
from foleybench.media.h264 import add_h264, reproducible

# Codecs that browsers and players take inside an mp4; any other is encoded again.
_TICKS_HZ = 90000
_EXACT = {"fflags": "+bitexact"}
_MP4_CODECS = frozenset({"h264", "hevc", "av1", "libdav1d", "vp9"})


def mux_sound(video_path: Path, audio: AudioArray, rate_hz: int, out_path: Path) -> None:
    """Write an mp4 with the video of ``video_path`` and this audio, both starting at 0; its own audio is dropped.

    The video stream is copied when players take its codec inside an mp4, and encoded as H.264 otherwise.

    Args:
        video_path: Any video file.
        audio: New audio, mono, shape (N,); or (channels, N).
        rate_hz: Its rate.
        out_path: Where the mp4 goes; written under a temporary name first.

    Raises:
        MediaError: The video cannot be used.
    """
    out_path.parent.mkdir(parents=True, exist_ok=True)
    temporary = out_path.with_name(f".{out_path.name}.tmp")
    try:
        if not _copy_under(video_path, audio, rate_hz, temporary, _MP4):
            _encode_under(video_path, audio, rate_hz, temporary)
        temporary.replace(out_path)
    finally:
        temporary.unlink(missing_ok=True)


def mux_copy(video_path: Path, audio: AudioArray, rate_hz: int, stem: Path) -> tuple[Path, bool]:
    """Write a copy of a video with this audio: ``<stem>.mp4``, or ``<stem>.mkv`` when an mp4 does not take its codec.

    Args:
        video_path: Any video file.
        audio: New audio, shape (N,) or (channels, N).
        rate_hz: Its rate.
        stem: Where the copy goes, without a suffix.

    Returns:
        The file, and whether the video was copied; if no container takes it as it is, it was encoded as H.264.

    Raises:
        MediaError: The video cannot be used.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    for container in (_MP4, _MKV):
        out_path = stem.with_name(stem.name + container.suffix)
        temporary = out_path.with_name(f".{out_path.name}.tmp")
        try:
            if _copy_under(video_path, audio, rate_hz, temporary, container):
                temporary.replace(out_path)
                return out_path, True
        finally:
            temporary.unlink(missing_ok=True)
    out_path = stem.with_name(stem.name + _MP4.suffix)
    mux_sound(video_path, audio, rate_hz, out_path)
    return out_path, False


class _Container(NamedTuple):
    """A container format and the codecs that it takes; None takes any codec."""

    suffix: str
    format: str
    codecs: frozenset[str] | None
    options: dict[str, str]


_MP4 = _Container(".mp4", "mp4", _MP4_CODECS, {**_EXACT, "movflags": "+faststart"})
_MKV = _Container(".mkv", "matroska", None, _EXACT)


def _copy_under(video_path: Path, audio: AudioArray, rate_hz: int, out_path: Path, container: _Container) -> bool:
    """Mux with the video packets copied; False when the container cannot take the stream."""
    with open_media(video_path) as source:
        video = choose_tracks(source, audio=False).video
        if video is None:
            raise MediaError("no_video", f"{video_path.name} holds no video")
        known = container.codecs is None or video.codec_context.name in container.codecs
        if not known or video.time_base is None:
            return False
        first = video.start_time or 0
        options = _timed_options(container, rate_hz)
        try:
            with av.open(str(out_path), "w", format=container.format, options=options) as target:
                stream = target.add_stream_from_template(video)
                sound = _sound_packets(target, audio, rate_hz)
                for packet in source.demux(video):
                    if packet.dts is None:
                        continue
                    shown = packet.dts if packet.pts is None else packet.pts
                    packet.dts, packet.pts = packet.dts - first, shown - first
                    packet.stream = stream
                    target.mux(packet)
                target.mux(list(sound))
        except av.error.MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            return False  # Timestamps that an mp4 cannot hold: the frames are encoded again instead.
    return True


def _timed_options(container: _Container, rate_hz: int) -> dict[str, str]:
    """Return the muxer's options; an mp4 states lengths in samples, so that players end where the audio does."""
    clock = {"movie_timescale": str(rate_hz)} if container.format == "mp4" else {}
    return {**container.options, **clock}


def _encode_under(video_path: Path, audio: AudioArray, rate_hz: int, out_path: Path) -> None:
    """Mux with the frames encoded again, each at its own time and for its own length."""
    options = _timed_options(_MP4._replace(options=_EXACT), rate_hz)
    with open_media(video_path) as source, av.open(str(out_path), "w", format="mp4", options=options) as target:
        tracks = choose_tracks(source, audio=False)
        if tracks.video is None:
            raise MediaError("no_video", f"{video_path.name} holds no video")
        fitter = Fitter(aspect=pixel_aspect(tracks.video.sample_aspect_ratio))
        stream: VideoStream | None = None
        sound: Iterable[av.Packet[av.AudioStream]] = ()
        lengths: dict[int, int] = {}
        for frame, pts, length in _timed(Reader(source, tracks, 0.0)):
            image = reproducible(fitter.fit(frame, "yuv420p"))
            if stream is None:
                stream = add_h264(target, fitter.width_px, fitter.height_px, Fraction(25))
                stream.codec_context.time_base = Fraction(1, _TICKS_HZ)
                sound = _sound_packets(target, audio, rate_hz)
            image.pts, image.time_base = pts, Fraction(1, _TICKS_HZ)
            lengths[pts] = length
            target.mux(_with_lengths(stream.encode(image), lengths))
        if stream is None:
            raise MediaError("undecodable", f"no video of {video_path.name} decodes")
        target.mux(_with_lengths(stream.encode(), lengths))
        target.mux(list(sound))


def _timed(reader: Reader) -> Iterator[tuple[VideoFrame, int, int]]:
    """Yield each frame with its start and length in ticks; the first starts at 0, times that go back are left out."""
    first_s: float | None = None
    last = -1
    for frame, time_s in reader:
        if not isinstance(frame, VideoFrame):
            continue
        first_s = time_s if first_s is None else first_s
        pts = round((time_s - first_s) * _TICKS_HZ)
        if pts > last:
            yield frame, pts, round(frame_length_s(frame) * _TICKS_HZ) or max(1, pts - last)
            last = pts


def _with_lengths(packets: list[av.Packet[VideoStream]], lengths: dict[int, int]) -> list[av.Packet[VideoStream]]:
    """Give packets the length of their frame: the encoder drops the lengths, and the last frame's would be wrong."""
    for packet in packets:
        if packet.pts in lengths:
            packet.duration = lengths[packet.pts]
    return packets


def _sound_packets(target: OutputContainer, audio: AudioArray, rate_hz: int) -> Iterable[av.Packet[av.AudioStream]]:
    """Add an AAC stream to ``target`` and return its packets; the muxer's edit list hides the encoder's priming."""
    samples = np.clip(np.atleast_2d(audio), -1.0, 1.0).astype(np.float32)
    layout = "mono" if len(samples) == 1 else "stereo"
    stream = target.add_stream("aac", rate=rate_hz, layout=layout)
    stream.bit_rate = 192_000

    def packets() -> Iterable[av.Packet[av.AudioStream]]:
        for start in range(0, samples.shape[1], 1024):
            frame = AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, start : start + 1024]), format="fltp", layout=layout
            )
            frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
            yield from stream.encode(frame)
        yield from stream.encode()

    return packets()
