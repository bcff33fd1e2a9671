"""AV-Align against TempoTokens' own script, from frames and audio to the score."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import soundfile
from scipy.ndimage import gaussian_filter

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.api.metric import ClipView
from foleybench.encoders._inputs.librosa_onsets import RATE_HZ
from metric_cases import Case, functions_of
from metric_cases.onsets import clip

N, FPS, DURATION_S = 12, 25.0, 4.0


def moving(rng: np.random.Generator) -> np.ndarray:
    """Frames of a texture that slides by other steps from frame to frame, shape (100, 96, 128, 3) uint8."""
    texture = gaussian_filter(rng.uniform(0, 255, (96, 128, 3)), (2, 2, 0), mode="wrap")
    texture = np.uint8(255 * (texture - texture.min()) / np.ptp(texture))
    places = np.cumsum(rng.integers(0, 5, round(FPS * DURATION_S)))
    return np.stack([np.roll(texture, place, axis=1) for place in places])


def against_the_script(checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """Its functions from frames and a file of audio to the mean score."""
    card = registry.load("metrics", "av_align")
    encoders = {need.encoder: registry.load("encoders", need.encoder).build("cpu") for need in card.needs.values()}
    space = functions_of(
        checkout / "av_align.py",
        *("detect_audio_peaks", "detect_video_peaks", "find_local_max_indexes", "compute_of"),
        "calc_intersection_over_union",
    )
    stats, theirs = [], []
    for number in range(N):
        frames, (audio, _) = moving(rng), clip(rng, DURATION_S)
        signal = Signal(audio=audio, duration_s=DURATION_S, frames=frames, frame_times_s=np.arange(len(frames)) / FPS)
        found = {name: encode([signal])[0] for name, encode in encoders.items()}
        view = ClipView(
            clip_id=f"clip{number}_000000",
            source_id=f"clip{number}",
            label="",
            duration_s=DURATION_S,
            events=None,
            features={key: found[need.encoder][need.layer] for key, need in card.needs.items()},
        )
        stats.append(card.per_clip(view))
        with tempfile.TemporaryDirectory() as folder:
            soundfile.write(Path(folder) / "a.wav", audio, RATE_HZ, subtype="FLOAT")
            onsets = space["detect_audio_peaks"](str(Path(folder) / "a.wav"))
        _, peaks = space["detect_video_peaks"](list(frames[..., ::-1]), FPS)
        theirs.append(space["calc_intersection_over_union"](onsets, peaks, FPS))
    return float(card.pool(stats)), float(np.mean(theirs))


CASES = (
    Case(
        metric="av_align",
        protocol="",
        peer="guyyariv/TempoTokens",
        function="av_align.py from frames and audio to the score",
        measure=against_the_script,
    ),
)
