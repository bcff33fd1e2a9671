"""Read frames and audio of any media file on one clock.

The files that the suite writes itself are in ``h264`` and ``mux``; their functions are offered here too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.video.frame import VideoFrame

from foleybench.clip_ids import slug
from foleybench.clips import AudioArray, Channels, Clip, FloatArray, FrameArray
from foleybench.errors import MediaError
from foleybench.media.audio_track import SoundTrack
from foleybench.media.demux import Reader, Tracks, choose_tracks, frame_length_s, open_media, start_s
from foleybench.media.frames import Fitter, pixel_aspect, rgb
from foleybench.media.h264 import decode_mp4, encode_mp4
from foleybench.media.hear import hear
from foleybench.media.mux import mux_sound

__all__ = ["decode_mp4", "encode_mp4", "mux_sound", "read_media_sound", "read_picture", "read_video"]

_MAX_DECODED_BYTES = 4 * 1024**3


def read_video(
    path: Path,
    *,
    max_s: float | None = None,
    fps: float | None = None,
    short_side_px: int | None = None,
    with_audio: bool = False,
) -> Clip:
    """Read any video file as a clip whose time 0 is its first frame.

    Args:
        path: The file; with or without audio, any frame rate, constant or variable.
        max_s: Read at most this much.
        fps: Keep the frame on screen at k / fps instead of every frame with its own timestamp.
        short_side_px: Scale the short side down to this when it is larger.
        with_audio: Whether to read the audio too, laid on the same clock; a file without audio gives None.

    Returns:
        The clip; its length is that of the video.

    Raises:
        MediaError: The file cannot be used; the status word and the reason say why.
    """
    with open_media(path) as container:
        tracks = choose_tracks(container, audio=with_audio)
        if tracks.video is None:
            raise MediaError("no_video", f"{path.name} holds no video")
        fitter = Fitter(short_side_px=short_side_px, aspect=pixel_aspect(tracks.video.sample_aspect_ratio), even=False)
        pictures = _Pictures(fitter, max_s=float("inf") if max_s is None else max_s, fps=fps)
        sound = _read_tracks(container, tracks, pictures)
    if pictures.first_s is None:
        raise MediaError("undecodable", f"no video of {path.name} decodes")
    duration_s = pictures.finish()
    audio = None if sound is None or not sound.rate_hz else sound.samples(round(duration_s * sound.rate_hz))
    return Clip(
        clip_id=slug(path.stem),
        source_id=slug(path.stem),
        label="",
        split="",
        duration_s=duration_s,
        frames=np.stack(pictures.images),
        frame_times_s=np.asarray(pictures.times_s, dtype=np.float64),
        audio=audio,
        rate_hz=sound.rate_hz if sound is not None else 0,
    )


def read_picture(path: Path, *, max_s: float, fps: float, short_side_px: int) -> tuple[FrameArray, FloatArray]:
    """Read the frames of a video on the clock of its audio, which starts where the first of the two starts.

    Args:
        path: The file.
        max_s: Read at most this much.
        fps: Keep the frame on screen at k / fps.
        short_side_px: Scale the short side down to this when it is larger.

    Returns:
        Frames (T, H, W, 3) uint8 and their times in seconds (T,). A video that starts later than its audio shows
        its first frame until then.

    Raises:
        MediaError: The file cannot be used; the status word and the reason say why.
    """
    with open_media(path) as container:
        both = choose_tracks(container)
        if both.video is None:
            raise MediaError("no_video", f"{path.name} holds no video")
        fitter = Fitter(short_side_px=short_side_px, aspect=pixel_aspect(both.video.sample_aspect_ratio), even=False)
        pictures = _Pictures(fitter, max_s=max_s, fps=fps)
        tracks = Tracks(both.video, None)
        reader = Reader(container, tracks, start_s(both))
        for frame, time_s in reader:
            if isinstance(frame, VideoFrame):
                pictures.add(frame, time_s)
            if pictures.done:
                reader.finish(tracks.video)
    if pictures.first_s is None:
        raise MediaError("undecodable", f"no video of {path.name} decodes")
    pictures.finish()
    late = max(0, round(pictures.first_s * fps))
    frames = np.concatenate([np.repeat(pictures.images[0][None], late, axis=0), np.stack(pictures.images)])
    times_s = np.arange(len(frames), dtype=np.float64) / fps
    return frames[times_s < max_s], times_s[times_s < max_s]


def read_media_sound(path: Path, channels: Channels = "mean") -> tuple[AudioArray, int]:
    """Read the audio of any media file as mono; see ``foleybench.media.hear``, which also says what is odd about it.

    Raises:
        MediaError: The file cannot be used; the status word and the reason say why.
    """
    heard = hear(path, channels)
    return heard.audio, heard.rate_hz


class _Pictures:
    """Collects frames as RGB, as they come or on a regular grid; time 0 is the first one."""

    def __init__(self, fitter: Fitter, *, max_s: float, fps: float | None) -> None:
        self.images: list[FrameArray] = []
        self.times_s: list[float] = []
        self.first_s: float | None = None
        self._fitter, self._max_s, self._fps = fitter, max_s, fps
        self._held: tuple[VideoFrame, float] | None = None
        self._end_s = 0.0
        self._usual_s = 0.0
        self._n_bytes = 0

    @property
    def done(self) -> bool:
        return self._end_s > self._max_s

    def add(self, frame: VideoFrame, container_s: float) -> None:
        self.first_s = container_s if self.first_s is None else self.first_s
        time_s = container_s - self.first_s
        if self._held is not None and time_s <= self._held[1]:
            return  # A timestamp that goes back: the frame on screen stays.
        if self._held is not None:
            self._usual_s = time_s - self._held[1]
            self._release(time_s)
        self._held = (frame, time_s)
        self._end_s = time_s + (frame_length_s(frame) or self._usual_s)

    def finish(self) -> float:
        """Release the last frame and return the length of the video in seconds."""
        duration_s = min(self._max_s, max(self._end_s, 1 / self._fps if self._fps else 0.04))
        self._release(duration_s)
        return duration_s

    def _release(self, until_s: float) -> None:
        """Keep the held frame: once, or at every grid time before ``until_s``."""
        if self._held is None or self._held[1] >= self._max_s:
            return
        frame, time_s = self._held
        if self._fps is None:
            self._keep(rgb(self._fitter.fit(frame, "rgb24")), time_s)
            return
        image: FrameArray | None = None
        while len(self.times_s) / self._fps < min(until_s, self._max_s) - 1e-6:
            image = rgb(self._fitter.fit(frame, "rgb24")) if image is None else image
            self._keep(image, len(self.times_s) / self._fps)

    def _keep(self, image: FrameArray, time_s: float) -> None:
        self._n_bytes += image.nbytes
        if self._n_bytes > _MAX_DECODED_BYTES:
            raise MediaError(
                "too_large", f"over {_MAX_DECODED_BYTES >> 30} GiB of frames; set a length or a size limit"
            )
        self.images.append(image)
        self.times_s.append(time_s)


def _read_tracks(container: InputContainer, tracks: Tracks, pictures: _Pictures) -> SoundTrack | None:
    """Read video and audio in one pass; audio that comes before the first frame in the file waits for its time."""
    reader = Reader(container, tracks, 0.0)
    waiting: list[tuple[AudioFrame, float]] = []
    track = None if tracks.audio is None else SoundTrack(max_s=pictures._max_s)
    for frame, time_s in reader:
        if isinstance(frame, VideoFrame):
            pictures.add(frame, time_s)
        else:
            waiting.append((frame, time_s))
        if pictures.first_s is not None and track is not None:
            _drain(waiting, track, pictures.first_s)
        if pictures.done:
            reader.finish(tracks.video)
        if track is not None and track.done:
            reader.finish(tracks.audio)
    return track


def _drain(waiting: list[tuple[AudioFrame, float]], track: SoundTrack, origin_s: float) -> None:
    for frame, time_s in waiting:
        track.add(frame, time_s - origin_s)
    waiting.clear()
