import numpy as np
import pytest

from foleybench import registry
from tests.metrics.views import view


def score(name, reference, generated):
    metric = registry.load("metrics", name)
    return metric.pool([metric.per_clip(view({"reference": reference, "generated": generated}))])


def test_loudness_counts_both_ways():
    assert score("loudness_difference", -23.0, -26.5) == pytest.approx(3.5)
    assert score("loudness_difference", -26.5, -23.0) == pytest.approx(3.5)


@pytest.mark.parametrize("name", ["spectral_centroid_difference", "rolloff_difference", "bandwidth_difference"])
def test_frequencies_are_compared_in_octaves(name):
    assert score(name, 16000.0, 8000.0) == pytest.approx(1.0)
    assert score(name, 1000.0, 4000.0) == pytest.approx(2.0)


@pytest.mark.parametrize("name", ["spectral_centroid_difference", "rolloff_difference", "bandwidth_difference"])
def test_w11_silence_is_neither_near_nor_absurd(name):
    """A silent reference has no such frequency; a silent output is as far away as there is, from any reference."""
    metric = registry.load("metrics", name)
    assert metric.per_clip(view({"reference": 0.0, "generated": 8000.0})) is None
    assert metric.per_clip(view({"reference": 0.0, "generated": 0.0})) is None
    assert score(name, 90.0, 0.0) == score(name, 20000.0, 0.0) == metric.worst


def test_only_clipping_beyond_the_reference_counts():
    assert score("clipping_share", 0.01, 0.03) == pytest.approx(2.0)
    assert score("clipping_share", 0.03, 0.01) == 0.0


def test_silent_share():
    reference, generated = np.array([-80.0, -60.0, -20.0, -20.0]), np.array([-80.0, -60.1, -61.0, -20.0])
    assert score("silence_share", reference, generated) == pytest.approx(50.0)
    assert score("silence_share", generated, reference) == pytest.approx(50.0)


def test_scores_of_two_embeddings():
    metric = registry.load("metrics", "pe_av_score")
    assert {need.encoder for need in metric.needs.values()} == {"pe_av_video", "pe_av_audio"}
    same = registry.load("metrics", "clap_audio_score")
    embedding = np.array([0.6, 0.8])
    stat = same.per_clip(view({"first": embedding, "second": embedding[::-1]}))
    assert same.pool([stat]) == pytest.approx(0.96)
