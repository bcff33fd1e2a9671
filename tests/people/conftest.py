"""Three systems of known quality on clips of a second: exact, half a second late, and noise."""

import numpy as np
import pytest

from foleybench.cli import main
from foleybench.media.audio import write_wav
from foleybench.shards.dataset import ShardDataset

SYSTEMS = ("exact_one", "late_one", "noise_one")


@pytest.fixture(scope="session")
def studied(make_clicks, tmp_path_factory):
    """Return the manifest and the audio folders by name."""
    home = tmp_path_factory.mktemp("studied")
    manifest = make_clicks(home / "data", 6, duration_s=1.0)
    rng = np.random.default_rng(0)
    for clip in ShardDataset(manifest).clips(video=False):
        hiss = rng.normal(0, 0.05, len(clip.audio)).astype(np.float32)
        sounds = (0.9 * clip.audio, np.roll(clip.audio, 8000), hiss)
        for name, sound in zip(SYSTEMS, sounds, strict=True):
            write_wav(home / name / f"{clip.clip_id}.wav", sound.astype(np.float32), clip.rate_hz)
    return manifest, {name: home / name for name in SYSTEMS}


@pytest.fixture(scope="session")
def listening_test(studied, tmp_path_factory):
    """Return the folder of a listening test of the three."""
    manifest, audio = studied
    out = tmp_path_factory.mktemp("listening_test") / "study"
    words = ["listen", "--data", str(manifest), "--audio", *(f"{name}={path}" for name, path in audio.items())]
    assert main([*words, "--out", str(out), "--trials", "9", "--checks", "5", "--raters", "8", "--seed", "1"]) == 0
    return out
