"""Normalise an audio file to a sample without video."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from foleybench.api.dataset import Profile, Sample
from foleybench.errors import MediaError
from foleybench.media.audio import flac_bytes
from foleybench.media.audio_track import limit_rate
from foleybench.media.hear import hear, hear_sides
from foleybench.prepare.normalise.fingerprint import audio_fingerprint
from foleybench.prepare.normalise.normalise import (
    CLIPPED_SHARE,
    FULL_SCALE,
    MIN_DURATION_S,
    SHORT_SHARE,
    SILENT_PEAK,
)


def normalise_audio(path: Path, profile: Profile, *, asked_start_s: float = 0.0) -> Sample:
    """Read audio, cut it to the profile's length, and write it as FLAC; there is no video.

    Args:
        path: Any audio file, or a video file whose frames are not wanted.
        profile: How the clip is written.
        asked_start_s: Where the clip starts in its source, for the record.

    Returns:
        The sample; its length is that of the audio.

    Raises:
        MediaError: The file cannot be used; the status word and the reason say why.
    """
    heard = hear(path, max_s=profile.clip_s)
    whole, source_rate_hz = heard.audio, heard.rate_hz
    cut = whole[: round(profile.clip_s * source_rate_hz)]
    if len(cut) / source_rate_hz < min(MIN_DURATION_S, profile.clip_s):
        raise MediaError("too_short", f"{len(cut) / source_rate_hz:.3f} s of audio; at least {MIN_DURATION_S} s needed")
    audio, rate_hz = limit_rate(cut, source_rate_hz, profile.rate_hz_max)
    duration_s = len(audio) / rate_hz
    peak = float(np.abs(audio).max(initial=0.0))
    flags = {
        "silent": peak < SILENT_PEAK,
        "clipped": float(np.mean(np.abs(audio) >= FULL_SCALE)) > CLIPPED_SHARE,
        "short": duration_s < SHORT_SHARE * profile.clip_s,
        "sound_only": True,
    }
    facts = {
        "asked_start_s": asked_start_s,
        "asked_duration_s": profile.clip_s,
        "real_start_s": round(asked_start_s, 6),
        "real_end_s": round(asked_start_s + duration_s, 6),
        "duration_s": duration_s,
        "audio_duration_s": duration_s,
        "rate_hz": rate_hz,
        "source_rate_hz": source_rate_hz,
        "peak": round(peak, 6),
        "sound_print": None if peak < SILENT_PEAK else audio_fingerprint(audio, rate_hz),
        "flags": sorted(
            {*(name for name, is_so in flags.items() if is_so), *(remark.kind for remark in heard.remarks)}
        ),
    }
    channels = hear_sides(path) if profile.channels == "keep" else None
    if channels is None or len(channels) == 1:
        return Sample(mp4=None, flac=flac_bytes(audio, rate_hz), events=None, facts=facts, factors={})
    sides = np.stack([limit_rate(side, source_rate_hz, profile.rate_hz_max)[0] for side in channels[:, : len(cut)]])
    return Sample(mp4=None, flac=flac_bytes(sides, rate_hz), events=None, facts=facts | {"channels": 2}, factors={})
