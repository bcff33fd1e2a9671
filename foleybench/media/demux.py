"""Decode a file's best video and audio stream in one pass.

The file is opened safely; both streams are decoded side by side on the container's clock.

Files may be hostile. Only the ``file`` protocol and a list of container formats are allowed, so that a playlist that
pretends to be a video cannot make the demuxer open other files or addresses. One thread only: frame threads together
with PyAV's log callback deadlock on some broken files (PyAV-Org/PyAV#751), and clips run in parallel anyway.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from foleybench.errors import MediaError
from foleybench.media.plain_file import require_file

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,mpegts,mpeg,mpegvideo,asf,ogg,wav,w64,flac,mp3,aac,aiff,au,"
    "m4v,h264,hevc,mxf,dv,nut,mjpeg,caf,ac3,eac3,amr"
)
MAX_PICTURE_PX = 7680 * 4320
SEEK_MARGIN_S = 0.5
_DEFAULT, _ATTACHED_PICTURE, _TIMED_PICTURES = 0x1, 0x400, 0x800
# Their frames hold checksums, which FFmpeg looks at only when it is told to; without, it gives out what fails.
_CHECKED_CODECS = frozenset({"flac", "wavpack", "tta"})


class Tracks(NamedTuple):
    """The streams that are read; either may be None."""

    video: VideoStream | None
    audio: AudioStream | None


class Decoded(NamedTuple):
    """One decoded frame of either kind with its time in seconds from the container's start."""

    frame: VideoFrame | AudioFrame
    time_s: float


# Latin-1 metadata raises UnicodeDecodeError in PyAV before 19; nothing here reads metadata, so it may be dropped. From
# 19 on there is no such argument, and none of it raises.
_METADATA: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}


@contextlib.contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading.

    Raises:
        MediaError: ``missing``, ``not_a_file``, ``empty_file``, or ``unreadable`` when no allowed container fits.
    """
    if require_file(path) == 0:
        raise MediaError("empty_file", "the file holds no bytes")
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    try:
        container = av.open(f"file:{path}", options=options, **_METADATA)
    except (av.error.FFmpegError, UnicodeError) as error:
        # ("Cannot allocate memory" is a table that claims to have billions of rows.)
        raise MediaError("unreadable", f"the container does not open: {_words(error)}") from error
    try:
        yield container
    finally:
        container.close()


def choose_tracks(container: InputContainer, *, video: bool = True, audio: bool = True) -> Tracks:
    """Choose the default streams; of several, the largest video and the most channels; cover images left out.

    A stream without a decoder is chosen only when there is no other.

    Raises:
        MediaError: ``unsupported_codec`` when a wanted stream is there but this FFmpeg has no decoder for it, or
            ``too_large`` when the video is larger than 8K.
    """
    pictures = [s for s in container.streams.video if not int(s.disposition) & _ATTACHED_PICTURE] if video else []
    sounds = list(container.streams.audio) if audio else []
    tracks = Tracks(
        max(pictures, key=lambda s: (*_preferred(s), _area(s)), default=None),
        max(sounds, key=lambda s: (*_preferred(s), _channels(s)), default=None),
    )
    for stream in (tracks.video, tracks.audio):
        if stream is not None and stream.codec_context is None:
            raise MediaError("unsupported_codec", f"there is no decoder for the {stream.type} stream")
        if stream is not None:
            stream.codec_context.thread_count = 1
            # What the container says of the size need not be what the packets hold.
            checks = {"err_detect": "crccheck+explode"} if stream.codec_context.name in _CHECKED_CODECS else {}
            stream.codec_context.options = {"max_pixels": str(MAX_PICTURE_PX), **checks}
    if tracks.video is not None and _area(tracks.video) > MAX_PICTURE_PX:
        size = f"{tracks.video.width}x{tracks.video.height}"
        raise MediaError("too_large", f"the video is {size} pixels; the limit is {MAX_PICTURE_PX} in all")
    return tracks


def other_tracks(container: InputContainer, tracks: Tracks) -> list[str]:
    """Describe in words the video and audio tracks that were not chosen."""
    chosen = {stream.index for stream in tracks if stream is not None}
    kinds = {stream.type for stream in tracks if stream is not None}
    return [
        f"track {stream.index}: {_described(stream)}"
        for stream in (*container.streams.video, *container.streams.audio)
        if stream.index not in chosen
        and stream.type in kinds
        and not int(stream.disposition) & (_ATTACHED_PICTURE | _TIMED_PICTURES)
    ]


def _described(stream: Stream) -> str:
    if stream.codec_context is None:
        return f"{stream.type} without a decoder"
    if isinstance(stream, AudioStream):
        return f"audio, {stream.codec_context.name}, {stream.channels} channels"
    size = f", {stream.width}x{stream.height}" if isinstance(stream, VideoStream) else ""
    return f"video, {stream.codec_context.name}{size}"


def declared_s(container: InputContainer) -> float | None:
    """Return the length that the container states, from its first frame or audio; None when it states none."""
    if not container.duration or container.duration < 0:
        return None
    late = container.start_time or 0
    # In these, the length counts from time 0, wherever the file starts.
    from_zero = container.format.name in ("matroska,webm", "flv", "live_flv") and 0 < late < container.duration
    return (container.duration - late * from_zero) / av.time_base


def start_s(tracks: Tracks) -> float:
    """Return the time at which the first of the streams starts, as the container says; 0 when it does not say."""
    starts = [float(s.start_time * s.time_base) for s in tracks if s and s.start_time is not None and s.time_base]
    return min(starts, default=0.0)


def seek_before(container: InputContainer, time_s: float | None) -> None:
    """Go to a keyframe before a time, in seconds on the file's own clock; None leaves the file at its start.

    An audio decoder needs the packet before the first one wanted, so the target lies a little earlier. A file that
    cannot be sought is read from its start.
    """
    if time_s is None or time_s <= SEEK_MARGIN_S:
        return
    with contextlib.suppress(av.error.FFmpegError):
        container.seek(int((time_s - SEEK_MARGIN_S) * av.time_base), backward=True)


class Reader:
    """Decodes the chosen streams in file order; broken packets are counted and skipped, as ffmpeg does.

    Attributes:
        n_packets: Packets that were given to a decoder so far.
        n_damaged: Packets that could not be decoded or read so far.
        n_corrupt: Frames that a decoder gave out and called damaged itself, from the origin on.
        error: Message of the first damaged packet, "" when there was none.
    """

    def __init__(self, container: InputContainer, tracks: Tracks, origin_s: float) -> None:
        self.n_packets = 0
        self.n_damaged = 0
        self.n_corrupt = 0
        self.error = ""
        self._container = container
        self._tracks = tracks
        self._origin_s = origin_s
        self._next_s: dict[int, float] = {}
        self._shown: VideoFrame | None = None
        self._finished: set[int] = set()

    def finish(self, stream: VideoStream | AudioStream | None) -> None:
        """Stop decoding a stream: its packets are passed over from now on."""
        if stream is not None:
            self._finished.add(stream.index)

    def __iter__(self) -> Iterator[Decoded]:
        """Yield frames until the file ends or every stream is finished."""
        streams = [stream for stream in self._tracks if stream is not None]
        packets = self._container.demux(*streams)
        while len(self._finished) < len(streams):
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                # FFmpeg also says "cannot allocate memory" for a packet that claims to hold two gigabytes.
                self._note(error)
                return
            if packet is None:
                return
            if packet.stream_index not in self._finished:
                yield from self._decode(packet)

    def _decode(self, packet: av.Packet[Stream]) -> Iterator[Decoded]:
        self.n_packets += 1
        if not packet.size and packet.dts is not None:
            yield from self._again(packet)
            return
        try:
            frames = packet.decode()
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError as error:
            self._note(error)
            return
        for frame in frames:
            if isinstance(frame, VideoFrame | AudioFrame):
                time_s = self._time_s(packet.stream_index, frame)
                # Before the origin, a file that was sought may lack what its first frames refer to.
                self.n_corrupt += frame.is_corrupt and time_s >= 0.0
                self._shown = frame if isinstance(frame, VideoFrame) else self._shown
                yield Decoded(frame, time_s)

    def _again(self, packet: av.Packet[Stream]) -> Iterator[Decoded]:
        """Take an empty packet: in video it repeats the last frame (Theora, AVI), and would stop a decoder."""
        if packet.stream.type == "video" and self._shown is not None:
            stamp = packet.pts if packet.pts is not None else packet.dts
            yield Decoded(self._shown, float((stamp or 0) * packet.time_base) - self._origin_s)

    def _time_s(self, index: int, frame: VideoFrame | AudioFrame) -> float:
        stamp = frame.pts if frame.pts is not None else frame.dts
        # PyAV builds the fraction anew at each access, and fraction arithmetic costs ten times as much as this.
        base = frame.time_base
        if stamp is None or not base:
            time_s = self._next_s.get(index, 0.0)
        else:
            time_s = stamp * base.numerator / base.denominator - self._origin_s
        self._next_s[index] = time_s + frame_length_s(frame)
        return time_s

    def _note(self, error: av.error.FFmpegError) -> None:
        self.n_damaged += 1
        self.error = self.error or _words(error)


def frame_length_s(frame: VideoFrame | AudioFrame) -> float:
    """Return the duration that a frame states, in seconds; 0 when it states none."""
    if isinstance(frame, AudioFrame):
        return frame.samples / frame.sample_rate if frame.sample_rate else 0.0
    length, base = frame.duration, frame.time_base
    return length * base.numerator / base.denominator if length and base else 0.0


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)


def _preferred(stream: VideoStream | AudioStream) -> tuple[bool, bool]:
    return stream.codec_context is not None, bool(int(stream.disposition) & _DEFAULT)


def _area(stream: VideoStream) -> int:
    return stream.width * stream.height if stream.codec_context is not None else 0


def _channels(stream: AudioStream) -> int:
    return stream.channels if stream.codec_context is not None else 0
