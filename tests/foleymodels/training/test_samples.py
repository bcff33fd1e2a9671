"""Samples while a model is trained: which clips, whose noise, at what rate."""

import numpy as np
import pytest

from foleybench.api.model import clip_rng
from foleybench.media.audio import read_sound
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.mel import MelSettings
from foleymodels._training.samples import N_CLIPS, SampleWriter
from tests.foleymodels.small import PNG, figures


class Noise:
    """Makes noise at a rate of its own, or at each clip's."""

    nfe = 0
    guidance = None

    def __init__(self, rate_hz, asked):
        self.rate_hz, self.asked = rate_hz, asked

    def generate(self, clips, rng):
        rate_hz = self.rate_hz or clips[0].rate_hz
        self.asked.append(clips[0].clip_id)
        return [(0.1 * rng.standard_normal(round(clips[0].duration_s * rate_hz))).astype(np.float32)]


@pytest.mark.parametrize(("rate_hz", "wanted"), [(8000, 8000), (None, 16000)])
def test_each_clip_has_noise_of_its_own_at_the_rate_of_the_model(rate_hz, wanted, corpus, tmp_path):
    asked, weights = [], {"w": 1}
    given = []

    def generator_of(averaged):
        given.append(averaged)
        return Noise(rate_hz, asked)

    writer = SampleWriter(corpus["train"], tmp_path, generator_of, MelSettings(), seed=5)
    with figures(False):
        writer(20, weights)
    ids = ShardDataset(corpus["train"]).clip_ids
    assert asked == [ids[0], ids[2], ids[4], ids[6]]  # evenly spread over eight
    assert len(asked) == N_CLIPS
    assert given == [weights]
    for clip_id in asked:
        audio, found_hz = read_sound(tmp_path / "step-20" / f"{clip_id}.wav")
        assert found_hz == wanted
        noise = 0.1 * clip_rng(5, clip_id).standard_normal(len(audio))
        np.testing.assert_allclose(audio, noise, atol=1e-4)
        assert (tmp_path / "step-20" / f"{clip_id}.png").read_bytes().startswith(PNG)
