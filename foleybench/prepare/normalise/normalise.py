"""Normalise a media file to a profile in one pass.

Video and audio are laid on the container's clock, which starts with the earlier of them; the other one is filled
with its first frame, or with silence. Frames are taken by timestamp (each is shown from the nearest k / fps on), so
constant and variable frame rates are the same case. Frames are scaled and encoded as they are decoded: memory does not
grow with the length of the file.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer

from foleybench.api.dataset import Profile, Sample
from foleybench.clips import AudioArray
from foleybench.errors import MediaError
from foleybench.media.audio import fit_length, flac_bytes
from foleybench.media.audio_track import SoundTrack, limit_rate
from foleybench.media.demux import (
    Reader,
    Tracks,
    choose_tracks,
    declared_s,
    open_media,
    other_tracks,
    seek_before,
    start_s,
)
from foleybench.media.frames import pixel_aspect
from foleybench.media.hear import Remark, damage, track_remarks
from foleybench.prepare.normalise.av_sync import best_offset
from foleybench.prepare.normalise.fingerprint import audio_fingerprint, video_fingerprint
from foleybench.prepare.normalise.video_track import PictureTrack

# A clip shorter than this holds no event that could be scored.
MIN_DURATION_S = 0.5
SHORT_SHARE = 0.95
# One broken packet at the end of a cut file is usual; more than this and what decodes is mostly concealment and noise.
MAX_DAMAGED_SHARE = 0.05
SILENT_PEAK = 1e-3  # -60 dB of full scale
CLIPPED_SHARE = 1e-4
FULL_SCALE = 32767 / 32768
PARTIAL_SHARE = 0.9
TRUNCATED_S = 0.5
# Viewers notice audio that is 45 ms early or 125 ms late (ITU-R BT.1359-1).
OUT_OF_STEP_S = 0.1
MOSTLY_STILL_SHARE = 0.8


def normalise(path: Path, profile: Profile, *, asked_start_s: float = 0.0, cut_s: float = 0.0) -> Sample:
    """Decode a file, cut it to the profile's length, and encode it to the profile.

    Args:
        path: Any media file.
        profile: How the clip is written.
        asked_start_s: Where the clip starts in the video that it was cut from, for the record.
        cut_s: Where the clip starts in this file, in seconds after the first video or audio. The cut is exact for
            any keyframes: what comes before is decoded and dropped by its timestamps.

    Returns:
        The sample, with the facts for its manifest line.

    Raises:
        MediaError: The file cannot be used: ``missing``, ``empty_file``, ``unreadable``, ``no_video``, ``no_audio``,
            ``unsupported_codec``, ``too_large``, ``undecodable``, ``not_a_file``, ``not_finite``, ``out_of_range``,
            ``bad_rate``, ``no_overlap``, ``ends_early`` or ``too_short``.
    """
    with open_media(path) as container:
        tracks = _both(container)
        picture = PictureTrack(profile, pixel_aspect(_video(tracks).sample_aspect_ratio))
        sound = SoundTrack(max_s=profile.clip_s)
        origin_s = start_s(tracks) + cut_s
        seek_before(container, origin_s if cut_s else None)
        reader = Reader(container, tracks, origin_s)
        _read(reader, tracks, picture, sound)
        if cut_s > 0.0:
            _refuse_early_end(picture, sound, reader)
        _refuse_useless(picture, sound, reader, profile)
        duration_s = min(profile.clip_s, max(picture.end_s, sound.end_s))
        mp4, n_frames = picture.finish(duration_s)
        facts = _container_facts(container, tracks, reader)
        damaged = damage(path, container, reader, sound)
        said_s = declared_s(container)
    duration_s = n_frames / profile.fps
    raw, rate_hz = limit_rate(sound.samples(), sound.rate_hz, profile.rate_hz_max)
    audio = fit_length(raw, round(duration_s * rate_hz))
    measured = _Measured(
        picture=picture,
        sound=sound,
        audio=audio,
        rate_hz=rate_hz,
        duration_s=duration_s,
        asked_s=profile.clip_s,
        fps=profile.fps,
    )
    facts |= measured.facts() | {
        "asked_start_s": asked_start_s,
        "asked_duration_s": profile.clip_s,
        "real_start_s": round(asked_start_s + measured.first_s, 6),
        "real_end_s": round(asked_start_s + measured.last_s, 6),
        "fps": profile.fps,
        "n_frames": n_frames,
        "rate_hz": rate_hz,
    }
    facts["flags"] = sorted(
        {*measured.flags(), *_reading_flags(damaged, said_s, measured), *_track_flags(facts, sound)}
    )
    written, kept = _written(sound, audio, rate_hz, profile)
    return Sample(mp4=mp4, flac=flac_bytes(written, rate_hz), events=None, facts=facts | kept, factors={})


def _written(sound: SoundTrack, audio: AudioArray, rate_hz: int, profile: Profile) -> tuple[AudioArray, dict[str, Any]]:
    """Return the FLAC file of the audio, and the manifest's facts about it when it has two channels."""
    n = round(len(audio) * sound.rate_hz / rate_hz)
    both = sound.two_channels(n) if profile.channels == "keep" else None
    if both is None:
        return audio, {}
    sides = [limit_rate(side, sound.rate_hz, profile.rate_hz_max)[0] for side in both]
    return np.stack([fit_length(side, len(audio)) for side in sides]), {"channels": 2}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Measured:
    """What was decoded from a file, before facts and flags are made of it."""

    picture: PictureTrack
    sound: SoundTrack
    audio: AudioArray
    rate_hz: int
    duration_s: float
    asked_s: float
    fps: float

    @property
    def picture_s(self) -> float:
        return min(self.picture.end_s, self.duration_s) - (self.picture.first_s or 0.0)

    @property
    def sound_s(self) -> float:
        return min(self.sound.end_s, self.duration_s) - (self.sound.first_s or 0.0)

    @property
    def av_offset_s(self) -> float:
        """By how much the video begins after the audio."""
        return (self.picture.first_s or 0.0) - (self.sound.first_s or 0.0)

    @property
    def first_s(self) -> float:
        """Time of the first frame or sample after the asked second."""
        return min(self.picture.first_s or 0.0, self.sound.first_s or 0.0)

    @property
    def last_s(self) -> float:
        """End of the last frame or sample, inside the clip."""
        return min(self.duration_s, max(self.picture.end_s, self.sound.end_s))

    @functools.cached_property
    def content_offset_s(self) -> float | None:
        """Seconds by which the video comes after its audio, by content; None where the content gives no estimate."""
        offset = best_offset(self.picture.motion_watch.motion, self.fps, self.audio, self.rate_hz)
        return offset.offset_s if offset is not None and offset.reliable else None

    @property
    def peak(self) -> float:
        return float(np.abs(self.audio).max(initial=0.0))

    def facts(self) -> dict[str, Any]:
        (width, height), (source_width, source_height) = self.picture.size, self.picture.source_size
        return {
            "duration_s": round(self.duration_s, 6),
            "video_duration_s": round(self.picture_s, 6),
            "audio_duration_s": round(self.sound_s, 6),
            "av_offset_s": round(self.av_offset_s, 6),
            "content_offset_s": None if self.content_offset_s is None else round(self.content_offset_s, 2),
            "still_share": round(self.picture.motion_watch.still_share(self.fps), 2),
            "picture_print": video_fingerprint(self.picture.motion_watch.looks),
            "sound_print": None if self.peak < SILENT_PEAK else audio_fingerprint(self.audio, self.rate_hz),
            "width": width,
            "height": height,
            "source_width": source_width,
            "source_height": source_height,
            "source_rate_hz": self.sound.rate_hz,
            "source_channels": self.sound.n_channels,
            "sound_gap_s": round(self.sound.gaps_s, 6),
            "closed_gap_s": round(self.sound.closed_gap_s, 4),
            "mix_loss_db": None if (loss_db := self.sound.mixdown.loss_db) is None else round(loss_db, 1),
            "peak": round(self.peak, 6),
        }

    def flags(self) -> list[str]:
        clipped = float(np.mean(np.abs(self.audio) >= FULL_SCALE)) if len(self.audio) else 0.0
        found = {
            "silent": self.peak < SILENT_PEAK,
            "clipped": clipped > CLIPPED_SHARE,
            "still": not self.picture.motion_watch.moves,
            "mostly_still": self.picture.motion_watch.moves
            and self.picture.motion_watch.still_share(self.fps) >= MOSTLY_STILL_SHARE,
            "out_of_step": abs(self.av_offset_s) > OUT_OF_STEP_S or abs(self.content_offset_s or 0.0) > OUT_OF_STEP_S,
            "hdr": self.picture.hdr,
            "short": self.duration_s < SHORT_SHARE * self.asked_s,
            "partial_picture": self.picture_s < PARTIAL_SHARE * self.duration_s,
            "partial_sound": self.sound_s < PARTIAL_SHARE * self.duration_s,
        }
        return [name for name, is_so in found.items() if is_so]


def _both(container: InputContainer) -> Tracks:
    has_picture, has_sound = bool(container.streams.video), bool(container.streams.audio)
    if not has_picture:
        raise MediaError("no_video", "the file holds no video")
    if not has_sound:
        raise MediaError("no_audio", "the file holds no audio")
    tracks = choose_tracks(container)
    _video(tracks)
    return tracks


def _video(tracks: Tracks) -> Any:
    if tracks.video is None:
        raise MediaError("no_video", "the file holds no video but a cover")
    return tracks.video


def _read(reader: Reader, tracks: Tracks, picture: PictureTrack, sound: SoundTrack) -> None:
    for frame, time_s in reader:
        if isinstance(frame, AudioFrame):
            sound.add(frame, time_s)
        else:
            picture.add(frame, time_s)
        if picture.done:
            reader.finish(tracks.video)
        if sound.done:
            reader.finish(tracks.audio)


def _refuse_early_end(picture: PictureTrack, sound: SoundTrack, reader: Reader) -> None:
    for what, end_s in (("picture", picture.end_s), ("sound", sound.end_s)):
        if end_s <= 0.0 and not reader.n_damaged:
            raise MediaError("ends_early", f"the {what} ends before the asked second")


def _refuse_useless(picture: PictureTrack, sound: SoundTrack, reader: Reader, profile: Profile) -> None:
    why = f" ({reader.error})" if reader.error else ""
    if picture.first_s is None:
        raise MediaError("undecodable", f"no frame of the video decodes{why}")
    if sound.first_s is None:
        raise MediaError("undecodable", f"no sample of the audio decodes{why}")
    if reader.n_damaged > MAX_DAMAGED_SHARE * reader.n_packets:
        raise MediaError("undecodable", f"{reader.n_damaged} of {reader.n_packets} packets are damaged{why}")
    if max(picture.first_s, sound.first_s) >= profile.clip_s:
        raise MediaError("no_overlap", f"video and audio start {abs(picture.first_s - sound.first_s):.2f} s apart")
    duration_s = min(profile.clip_s, max(picture.end_s, sound.end_s))
    if duration_s < min(MIN_DURATION_S, profile.clip_s):
        raise MediaError("too_short", f"{duration_s:.3f} s of video and audio; at least {MIN_DURATION_S} s are needed")


def _container_facts(container: InputContainer, tracks: Tracks, reader: Reader) -> dict[str, Any]:
    video, audio = tracks.video, tracks.audio
    assert video is not None
    assert audio is not None
    rate = video.average_rate or video.guessed_rate
    return {
        "source_fps": round(float(rate), 4) if rate else None,
        "source_video_codec": video.codec_context.name,
        "source_audio_codec": audio.codec_context.name,
        "declared_duration_s": round(container.duration / 1e6, 3) if container.duration else None,
        "n_damaged_packets": reader.n_damaged,
        "n_corrupt_frames": reader.n_corrupt,
        "other_tracks": other_tracks(container, tracks),
    }


def _reading_flags(damaged: list[Remark], said_s: float | None, measured: _Measured) -> list[str]:
    """Say whether anything was broken, and whether the file ended before the clip and the container's own length."""
    wanted_s = min(said_s or 0.0, measured.asked_s)
    return [
        *(remark.kind for remark in damaged),
        *["truncated"] * (measured.duration_s < wanted_s - TRUNCATED_S),
    ]


def _track_flags(facts: dict[str, Any], sound: SoundTrack) -> list[str]:
    """Flag what was done to the audio, and a choice among several video or audio tracks."""
    return [*(remark.kind for remark in track_remarks(sound)), *["other_tracks"] * bool(facts["other_tracks"])]
