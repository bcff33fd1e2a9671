"""Sound put under a picture: an mp4 that plays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from foleybench.clips import AudioArray
from foleybench.demux import Reader, choose_tracks, frame_length_s, open_media
from foleybench.errors import MediaError
from foleybench.h264 import add_h264, reproducible
from foleybench.pictures import Fitter, pixel_aspect

# What browsers and players take inside an mp4; anything else is encoded again.
_TICKS_HZ = 90000
_EXACT = {"fflags": "+bitexact"}
_MP4_CODECS = frozenset({"h264", "hevc", "av1", "libdav1d", "vp9"})


def mux_sound(video_path: Path, audio: AudioArray, rate_hz: int, out_path: Path) -> None:
    """Write an mp4 with the picture of ``video_path`` and this sound, both starting at 0; its own sound is dropped.

    The video stream is copied when players take its codec inside an mp4, and encoded as H.264 otherwise.

    Args:
        video_path: Any video file.
        audio: New sound, mono, shape (N,).
        rate_hz: Its rate.
        out_path: Where the mp4 goes; written under a temporary name first.

    Raises:
        MediaError: The video cannot be used.
    """
    out_path.parent.mkdir(parents=True, exist_ok=True)
    temporary = out_path.with_name(f".{out_path.name}.tmp")
    try:
        if not _copy_under(video_path, audio, rate_hz, temporary):
            _encode_under(video_path, audio, rate_hz, temporary)
        temporary.replace(out_path)
    finally:
        temporary.unlink(missing_ok=True)


def _copy_under(video_path: Path, audio: AudioArray, rate_hz: int, out_path: Path) -> bool:
    """Mux with the video packets copied; False when the stream cannot be copied into an mp4."""
    with open_media(video_path) as source:
        video = choose_tracks(source, audio=False).video
        if video is None:
            raise MediaError("no_video", f"{video_path.name} holds no picture")
        if video.codec_context.name not in _MP4_CODECS or video.time_base is None:
            return False
        first = video.start_time or 0
        try:
            with av.open(str(out_path), "w", format="mp4", options={**_EXACT, "movflags": "+faststart"}) as target:
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


def _encode_under(video_path: Path, audio: AudioArray, rate_hz: int, out_path: Path) -> None:
    """Mux with the frames encoded again, each at its own time and for its own length."""
    with open_media(video_path) as source, av.open(str(out_path), "w", format="mp4", options=_EXACT) as target:
        tracks = choose_tracks(source, audio=False)
        if tracks.video is None:
            raise MediaError("no_video", f"{video_path.name} holds no picture")
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
            raise MediaError("undecodable", f"no picture of {video_path.name} decodes")
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
    """Give packets the length of their frame: the encoder forgets it, and the last one would get a wrong one."""
    for packet in packets:
        if packet.pts in lengths:
            packet.duration = lengths[packet.pts]
    return packets


def _sound_packets(target: OutputContainer, audio: AudioArray, rate_hz: int) -> Iterable[av.Packet[av.AudioStream]]:
    """Add an AAC stream to ``target`` and return its packets; the muxer's edit list hides the encoder's priming."""
    stream = target.add_stream("aac", rate=rate_hz, layout="mono")
    stream.bit_rate = 192_000
    samples = np.clip(audio, -1.0, 1.0)[None, :].astype(np.float32)

    def packets() -> Iterable[av.Packet[av.AudioStream]]:
        for start in range(0, samples.shape[1], 1024):
            frame = AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, start : start + 1024]), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
            yield from stream.encode(frame)
        yield from stream.encode()

    return packets()
