"""VGGish as the original FAD of google-research feeds it.

Layers:
    frames: (T, 128) float32: one embedding every 0.5 s, before the last ReLU, no PCA; audio shorter than 1 s has T = 0.

16 kHz mono, its mean (DC) kept. As audiocraft writes its files: scaled to a peak of -1 dBFS, rounded to 16 bit; then as
google-research reads it: divided by its largest sample (signed, at least 0.1). Each second that starts on a half second
and lies wholly in the clip gives one patch, its first 0.96 s. Decided here: silence stays silence, where audiocraft
divides by zero and the file is lost with a line in the log. Weights and net are those of encoder ``vggish``; the peers
run the same numbers in TensorFlow.

Sources: google-research/google-research@0242908 frechet_audio_distance/audioset_model.py;
facebookresearch/audiocraft@896ec7c audiocraft/metrics/fad.py, audiocraft/data/audio_utils.py.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder
from foleybench.api.weights import require
from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.vggish_patches import N_BANDS, PATCH, RATE_HZ, WEIGHTS, log_mel_patches
from foleybench.media.audio import require_finite

SECOND = RATE_HZ
STEP = SECOND // 2
PEAK = 10.0 ** (-1.0 / 20.0)
LEAST = 0.1


def loud(audio: AudioArray) -> FloatArray:
    """Return the audio (N,) that goes into the spectrogram, float64: scaled, rounded to 16 bit, scaled again."""
    require_finite(audio)
    peak = float(np.abs(audio).max(initial=0.0))
    if not peak:
        return np.zeros(len(audio))
    scaled = audio * np.float32(PEAK / peak)
    whole = np.rint(scaled.astype(np.float64) * 32768.0) / 32768.0
    return np.asarray(whole / max(LEAST, float(whole.max())), dtype=np.float64)


def google_patches(audio: AudioArray) -> FloatArray:
    """Return the patches of a clip's audio (N,) at 16 kHz, shape (T, 96, 64)."""
    samples = loud(audio)
    starts = range(0, len(samples) - SECOND + 1, STEP)
    found = [log_mel_patches(samples[start : start + SECOND]) for start in starts]
    return np.concatenate(found) if found else np.zeros((0, PATCH, N_BANDS))


def _build(device: str) -> Encode:
    path = require("vggish_google", WEIGHTS)
    from foleybench.encoders._nets import vggish

    return vggish.encode_with(vggish.load_weights(path), google_patches, device)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"frames": (ANY, 128)},
    licence="Apache-2.0",
    source="google-research/google-research@0242908 frechet_audio_distance/audioset_model.py",
    weights=WEIGHTS,
    build=_build,
)
