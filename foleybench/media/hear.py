"""Read the audio of any media file, with remarks on it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from foleybench.clips import AudioArray, Channels
from foleybench.errors import MediaError
from foleybench.media.audio import SoundFile, read_channels, read_sound_file
from foleybench.media.checksums import checksum_damage
from foleybench.media.mixdown import Mixdown

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from foleybench.media.audio_track import SoundTrack
    from foleybench.media.demux import Reader, Tracks

_PLAIN_SOUND = frozenset({".wav", ".flac"})
# Timestamps are rounded to a millisecond or two; a larger move comes from a gap or an overlap that was closed.
CLOSED_GAP_S = 0.005
TRUNCATED_S = 0.1
# 12 dB over full scale: decoded music exceeds it by a few decibels at most.
LOUD_PEAK = 4.0
# Usual priming samples of an encoder: FFmpeg's AAC, and LAME with the delay of a decoder.
_USUAL_DELAY = {"aac": 1024, "mp3": 1105}


class Remark(NamedTuple):
    """A remark on audio that can be used all the same.

    Attributes:
        kind: ``damaged``, ``truncated``, ``sound_gap``, ``closed_gap``, ``cancelled``, ``other_tracks``,
            ``unknown_delay`` or ``over_scale``.
        detail: A sentence with the value.
    """

    kind: str
    detail: str


class Heard(NamedTuple):
    """Audio as it was read, with remarks.

    Attributes:
        audio: Mono, shape (N,) float32.
        rate_hz: Its rate.
        goes_on: Whether the file holds more audio than was asked for.
        remarks: What is odd about the audio.
        n_channels: Channels of the file, before they became one.
    """

    audio: AudioArray
    rate_hz: int
    goes_on: bool
    remarks: tuple[Remark, ...]
    n_channels: int


def hear(path: Path, channels: Channels = "mean", max_s: float = float("inf")) -> Heard:
    """Read the audio of any media file as mono, on the container's clock.

    WAV and FLAC go through libsndfile. Anything else goes through FFmpeg, which drops the priming samples that AAC, MP3
    and Opus encoders put in front where the file says how many; audio that starts later than the video begins with
    silence. Where channels cancel each other, the loudest alone is taken, and a remark says so.

    Args:
        path: The file.
        channels: How several channels become one.
        max_s: Read about this much: it bounds memory and time, whatever the file says of itself.

    Raises:
        MediaError: The file cannot be used; the status word and the reason say why.
    """
    heard = _plain(path, channels, max_s) if path.suffix.lower() in _PLAIN_SOUND else _track(path, channels, max_s)
    peak = float(np.abs(heard.audio).max(initial=0.0))
    if peak <= LOUD_PEAK:
        return heard
    loud = Remark("over_scale", f"the peak is {20 * math.log10(peak):.0f} dB over full scale")
    return heard._replace(remarks=(*heard.remarks, loud))


def hear_sides(path: Path, max_s: float = float("inf")) -> AudioArray | None:
    """Read the channels of a media file, on the clock of ``hear`` and at its rate.

    Args:
        path: The file, which ``hear`` reads.
        max_s: As for ``hear``.

    Returns:
        Shape (1, N) or (2, N) float32; None of audio with more channels.

    Raises:
        MediaError: As ``hear``.
    """
    if path.suffix.lower() in _PLAIN_SOUND:
        channels = read_channels(path, max_s)
        return channels if len(channels) <= 2 else None
    from foleybench.media.audio_track import SoundTrack
    from foleybench.media.demux import Reader, Tracks, choose_tracks, open_media, start_s

    with open_media(path) as container:
        both = choose_tracks(container)
        if both.audio is None:
            raise MediaError("no_audio", f"{path.name} holds no audio")
        track = SoundTrack(max_s=max_s)
        _collect(track, Reader(container, Tracks(None, both.audio), start_s(both)), both.audio)
    mixed = track.samples()
    return mixed[None] if track.n_channels == 1 else track.two_channels(len(mixed))


def _plain(path: Path, channels: Channels, max_s: float) -> Heard:
    found = read_sound_file(path, channels, max_s)
    goes_on = found.n_there is not None and found.n_there > len(found.audio)
    remarks = (*_file_remarks(found), *mix_remarks(found.mixdown))
    return Heard(found.audio, found.rate_hz, goes_on, remarks, found.n_channels)


def _file_remarks(found: SoundFile) -> list[Remark]:
    if found.altered:
        return [Remark("damaged", "the samples or their rate are not those that the file states elsewhere in it")]
    if found.n_stated is None or found.n_there is None:
        return []
    stated_s, there_s = found.n_stated / found.rate_hz, found.n_there / found.rate_hz
    if there_s > stated_s - TRUNCATED_S:
        return []
    return [Remark("truncated", f"the file says {stated_s:.2f} s and ends at {there_s:.2f} s")]


def _track(path: Path, channels: Channels, max_s: float) -> Heard:
    from foleybench.media.audio_track import SoundTrack
    from foleybench.media.demux import Reader, Tracks, choose_tracks, open_media, start_s

    with open_media(path) as container:
        both = choose_tracks(container)
        if both.audio is None:
            raise MediaError("no_audio", f"{path.name} holds no audio")
        track = SoundTrack(max_s=max_s, channels=channels)
        reader = Reader(container, Tracks(None, both.audio), start_s(both))
        _collect(track, reader, both.audio)
        remarks = [
            *_container_remarks(container, both, track),
            *damage(path, container, reader, track),
            *track_remarks(track),
        ]
    if not track.rate_hz:
        raise MediaError(
            "undecodable", f"no audio of {path.name} decodes" + (f" ({reader.error})" if reader.error else "")
        )
    return Heard(track.samples(), track.rate_hz, track.goes_on, tuple(remarks), track.n_channels)


def _collect(track: SoundTrack, reader: Reader, stream: AudioStream) -> None:
    """Decode the audio into the track, up to its limit."""
    from av.audio.frame import AudioFrame

    for frame, time_s in reader:
        if isinstance(frame, AudioFrame):
            track.add(frame, time_s)
        if track.done:
            reader.finish(stream)


def _container_remarks(container: InputContainer, tracks: Tracks, track: SoundTrack) -> list[Remark]:
    from foleybench.media.demux import other_tracks

    remarks = []
    sound = tracks.audio
    assert sound is not None
    others = other_tracks(container, tracks._replace(video=None))
    if others:
        remarks.append(Remark("other_tracks", f"track {sound.index} was read; there is also {'; '.join(others)}"))
    delay = _USUAL_DELAY.get(container.format.name)
    # Where a Xing or LAME header says how much is in front, the audio starts that much later.
    if delay and not sound.start_time:
        remarks.append(
            Remark(
                "unknown_delay",
                f"this {container.format.name.upper()} file does not say how many samples its encoder put in front "
                f"(often {delay}, {1000 * delay / max(1, track.rate_hz):.0f} ms): they were not removed",
            )
        )
    stated_s = float(sound.duration * sound.time_base) if sound.duration and sound.time_base else 0.0
    if container.format.name.startswith("mov") and not track.done and track.end_s < stated_s - TRUNCATED_S:
        remarks.append(Remark("truncated", f"the track says {stated_s:.2f} s and ends at {track.end_s:.2f} s"))
    return remarks


def damage(path: Path, container: InputContainer, reader: Reader, track: SoundTrack) -> list[Remark]:
    """Return what could not be decoded, was called damaged by its decoder, or fails the container's checksums."""
    stored = checksum_damage(path, container.format.name)
    found = [] if stored is None else [stored]
    if reader.n_damaged:
        found.append(f"{reader.n_damaged} of {reader.n_packets} packets did not decode ({reader.error})")
    if reader.n_corrupt:
        found.append(f"a decoder calls {reader.n_corrupt} frames damaged")
    if track.n_other_rate:
        found.append(f"{track.n_other_rate} frames say another sample rate than the first")
    return [Remark("damaged", "; ".join(found))] if found else []


def track_remarks(track: SoundTrack) -> list[Remark]:
    """Return remarks on gaps filled, gaps closed and channels mixed."""
    remarks = []
    if track.first_gap_s is not None:
        where = f"the first at {track.first_gap_s:.3f} s"
        remarks.append(Remark("sound_gap", f"{track.gaps_s:.3f} s of silence fill gaps of the audio, {where}"))
    if abs(track.closed_gap_s) > CLOSED_GAP_S:
        way = "earlier" if track.closed_gap_s > 0 else "later"
        moved_ms = 1000 * abs(track.closed_gap_s)
        remarks.append(Remark("closed_gap", f"audio stands up to {moved_ms:.0f} ms {way} than its timestamps say"))
    return [*remarks, *mix_remarks(track.mixdown)]


def mix_remarks(mixdown: Mixdown) -> list[Remark]:
    """Return a remark on channels that cancel each other."""
    if not mixdown.cancelled or mixdown.loss_db is None:
        return []
    return [
        Remark(
            "cancelled",
            f"the mean of the {mixdown.n_channels} channels is {-mixdown.loss_db:.0f} dB quieter than they are: "
            f"channel {mixdown.loudest + 1} alone was taken",
        )
    ]
