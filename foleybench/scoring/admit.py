"""Decide whether generated audio is scored: length, silence, policy."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from foleybench.api.protocol import Protocol
from foleybench.artefacts.audio_folder import MOSTLY, ClipProblem
from foleybench.clips import AudioArray, Clock
from foleybench.errors import MediaError
from foleybench.media.audio import fit_length
from foleybench.media.hear import Heard, hear

# Seconds beyond the clip that are read, to state how much too long the audio is.
SURPLUS_S = 60.0


class Admitted(NamedTuple):
    """Generated audio as it is scored.

    Attributes:
        audio: (N,) float32, as long as the clip; under a protocol with a crop as long as it is, at least the crop and
            at most the clip. None when it cannot be scored.
        rate_hz: Its rate, 0 without audio.
        problems: The problems met.
        n_channels: Channels of its file, before they became one; 0 without audio.
    """

    audio: AudioArray | None
    rate_hz: int
    problems: list[ClipProblem]
    n_channels: int


def admit(clip_id: str, path: Path | None, duration_s: float, protocol: Protocol) -> Admitted:
    """Read one clip's generated audio under the policy for missing, broken, short, long and silent audio.

    Missing and broken audio is not scored. Short audio is filled with silence, long audio is cut, silent audio is
    scored as it is; all of them are named. Audio below 95 % of what the protocol scores of its clip is ``too_short``:
    it does not cover the clip, so its system is not ranked.
    """
    if path is None:
        return _refused(clip_id, "missing", "no file for this clip in the audio folder")
    try:
        heard = hear(path, protocol.frontend.channels, max_s=duration_s + SURPLUS_S)
    except MediaError as error:
        return _refused(clip_id, error.status, error.reason.replace(str(path), path.name))
    except MemoryError:
        return _refused(clip_id, "out_of_memory", f"{path.name}: does not fit into memory")
    audio, rate_hz = heard.audio, heard.rate_hz
    if not len(audio):
        return _refused(clip_id, "undecodable", f"{path.name}: holds no samples")
    scored_s = min(duration_s, protocol.crop_s or duration_s)
    least, most = Clock(scored_s).samples(rate_hz), Clock(duration_s).samples(rate_hz)
    problems = _length_problems(clip_id, heard, least, most, protocol.length_tolerance_s)
    problems += [ClipProblem(clip_id, remark.kind, f"{path.name}: {remark.detail}") for remark in heard.remarks]
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < 10 ** (protocol.silence_db / 20):
        problems.append(
            ClipProblem(clip_id, "silent", f"peak {peak:.2e} is below {protocol.silence_db:g} dB full scale")
        )
    return Admitted(fit_length(audio, min(max(len(audio), least), most)), rate_hz, problems, heard.n_channels)


def _refused(clip_id: str, kind: str, detail: str) -> Admitted:
    return Admitted(None, 0, [ClipProblem(clip_id, kind, detail)], 0)


def _length_problems(clip_id: str, heard: Heard, least: int, most: int, tolerance_s: float) -> list[ClipProblem]:
    """Name audio shorter than what is scored (``least`` samples), or longer than its clip (``most``)."""
    n, rate_hz = len(heard.audio), heard.rate_hz
    slack = max(1, round(tolerance_s * rate_hz))
    if least - slack <= n <= most + slack:
        return []
    kind = "long" if n > most else "short" if n >= MOSTLY * least else "too_short"
    length = f"over {n / rate_hz:.0f}" if heard.goes_on else f"{n / rate_hz:.4f}"
    scored = f", of which the first {least / rate_hz:g} s are scored" if least < most else ""
    return [ClipProblem(clip_id, kind, f"{length} s of audio for a clip of {most / rate_hz:.4f} s{scored}")]
