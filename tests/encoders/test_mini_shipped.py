"""The weights in the package: made from the corpus as it is now, small, and good enough to score with."""

import numpy as np
import pytest

from foleybench.api.encoder import Signal
from foleybench.encoders import mini_align, mini_class
from foleybench.encoders._nets.mini_nets import read_facts
from foleybench.metrics import class_accuracy, class_f1, kld_mini, material_accuracy
from foleybench.metrics._families.heard import NOTHING
from foleybench.synthfoley.classes import class_names
from foleybench.synthfoley.materials import MATERIALS
from foleybench.synthfoley.render import render_clip
from foleybench.synthfoley.spec import VERSION, ClipSpec
from tests.metrics.views import view

MODULES = (mini_class, mini_align)


@pytest.mark.parametrize("module", MODULES)
def test_trained_on_the_train_split_of_this_corpus(module):
    facts = read_facts(module.WEIGHTS.path)
    assert facts["kind"] == module.__name__.rpartition(".")[2]
    assert facts["data"]["dataset"] == "synthfoley"
    assert facts["data"]["version"] == VERSION, "the corpus changed: run `foleybench train evaluators` again"
    assert tuple(facts["classes"]) == tuple(class_names()) == mini_class.mini_class_names()
    assert tuple(facts["materials"]) == tuple(sorted(MATERIALS)) == mini_class.mini_material_names()


def test_both_together_are_small():
    assert sum(module.WEIGHTS.path.stat().st_size for module in MODULES) < 4_000_000


def test_validation_was_good_enough():
    found = read_facts(mini_align.WEIGHTS.path)["validation"]
    for version in ("clean", "vocoded", "rough"):
        assert found[f"class_accuracy_{version}"] >= 0.8
        assert found[f"class_f1_{version}"] >= 0.65
        assert found[f"material_accuracy_{version}"] >= 0.55
    assert found["aligned_true"] >= 0.78
    assert found["aligned_shifted_0.2_onsets"] <= 0.1
    assert found["aligned_shifted_0.5_onsets"] <= 0.2
    assert found["aligned_other_class"] <= 0.15


@pytest.fixture(scope="module")
def clips():
    """New clips of every class, of a seed that training never saw."""
    specs = [
        ClipSpec(clip_id=f"new{i}_000000", source_id=f"new{i}", label=label, split="test", seed=991)
        for i, label in enumerate(class_names())
    ]
    return [render_clip(spec) for spec in specs]


def as_signal(clip, audio=None):
    return Signal(
        audio=clip.audio if audio is None else audio,
        duration_s=clip.duration_s,
        frames=clip.frames,
        frame_times_s=clip.frame_times_s,
    )


def encoded(clips, audios=None):
    audios = audios or [None] * len(clips)
    return mini_class.ENCODER.build("cpu")([as_signal(clip, audio) for clip, audio in zip(clips, audios, strict=True)])


def found(metric, clips, features):
    """The value of a metric of what is heard."""
    layer = next(iter(metric.needs))
    views = [
        view({layer: f[layer]}, events=clip.events, label=clip.label) for clip, f in zip(clips, features, strict=True)
    ]
    return metric.pool([metric.per_clip(one) for one in views])


@pytest.mark.slow
def test_new_clips_are_classified(clips):
    features = encoded(clips)
    assert found(class_accuracy.METRIC, clips, features) >= 0.8
    assert found(class_f1.METRIC, clips, features) >= 0.7
    assert found(material_accuracy.METRIC, clips, features) >= 0.5


def divergences(clips, audios):
    return np.array(
        [
            kld_mini.METRIC.per_clip(view({"reference": one["logits"], "generated": two["logits"]}))["kl"]
            for one, two in zip(encoded(clips), encoded(clips, audios), strict=True)
        ]
    )


@pytest.mark.slow
def test_silence_and_noise_are_worse_than_the_sound_of_another_clip(clips):
    """On the mean, and for nearly every clip, against another clip's sound and that of the next class."""
    rng = np.random.default_rng(4)
    others = divergences(clips, [other.audio for other in clips[1:] + clips[:1]])
    n = clips[0].audio.size
    nothing = {
        "silence": np.zeros(n, np.float32),
        "white noise": (0.1 * rng.standard_normal(n)).astype(np.float32),
        "quiet noise": (1e-4 * rng.standard_normal(n)).astype(np.float32),
        "brown noise": np.float32(0.1 * brown(rng, n)),
    }
    for name, audio in nothing.items():
        worse = divergences(clips, [audio] * len(clips))
        assert worse.mean() > 1.2 * others.mean(), name
        assert np.mean(worse > others) >= 0.9, name


def brown(rng, n):
    walk = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) / np.maximum(np.arange(n // 2 + 1), 20), n)
    return walk / np.abs(walk).max()


@pytest.mark.slow
def test_nothing_is_heard_in_silence_and_noise(clips):
    rng = np.random.default_rng(5)
    n = clips[0].audio.size
    for audio in (np.zeros(n, np.float32), (0.1 * rng.standard_normal(n)).astype(np.float32)):
        one = encoded(clips[:1], [audio])[0]
        assert max(one["logits"].max(), one["material_logits"].max()) < NOTHING


@pytest.mark.slow
def test_true_sounds_are_taken_and_others_are_not(clips):
    encode = mini_align.ENCODER.build("cpu")
    true = [f["probability"] for f in encode([as_signal(clip) for clip in clips])]
    swapped = [as_signal(clip, other.audio) for clip, other in zip(clips, clips[1:] + clips[:1], strict=True)]
    assert np.mean([p > 0.5 for p in true]) >= 0.7
    assert np.mean([f["probability"] > 0.5 for f in encode(swapped)]) <= 0.2


@pytest.mark.slow
def test_gain_changes_hardly_anything(clips):
    quiet = [as_signal(clip, np.float32(0.1) * clip.audio) for clip in clips]
    for encoder, layer in ((mini_class.ENCODER, "logits"), (mini_align.ENCODER, "probability")):
        encode = encoder.build("cpu")
        for one, two in zip(encode([as_signal(clip) for clip in clips]), encode(quiet), strict=True):
            np.testing.assert_allclose(one[layer], two[layer], atol=1e-3)
