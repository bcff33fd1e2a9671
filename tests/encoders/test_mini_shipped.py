"""The weights in the package: made from the corpus as it is now, small, and good enough to score with."""

import numpy as np
import pytest

from foleybench.api.encoder import Signal
from foleybench.encoders import mini_align, mini_class
from foleybench.encoders._nets.mini_nets import read_facts
from foleybench.synthfoley import VERSION, ClipSpec, render_clip
from foleybench.synthfoley.classes import class_names

MODULES = (mini_class, mini_align)


@pytest.mark.parametrize("module", MODULES)
def test_trained_on_the_train_split_of_this_corpus(module):
    facts = read_facts(module.WEIGHTS.path)
    assert facts["kind"] == module.__name__.rpartition(".")[2]
    assert facts["data"]["dataset"] == "synthfoley"
    assert facts["data"]["version"] == VERSION, "the corpus changed: run `foleybench train evaluators` again"
    assert tuple(facts["classes"]) == tuple(class_names()) == mini_class.mini_class_names()


def test_both_together_are_small():
    assert sum(module.WEIGHTS.path.stat().st_size for module in MODULES) < 4_000_000


def test_validation_was_good_enough():
    found = read_facts(mini_align.WEIGHTS.path)["validation"]
    assert found["class_accuracy_clean"] >= 0.95
    assert found["class_accuracy_vocoded"] >= 0.9
    assert found["aligned_true"] >= 0.9
    assert found["aligned_shifted_0.5_onsets"] <= 0.3
    assert found["aligned_other_class"] <= 0.1


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


@pytest.mark.slow
def test_new_clips_are_classified(clips):
    features = mini_class.ENCODER.build("cpu")([as_signal(clip) for clip in clips])
    names = mini_class.mini_class_names()
    hits = [names[int(np.argmax(f["logits"]))] == clip.label for f, clip in zip(features, clips, strict=True)]
    assert np.mean(hits) >= 0.8


@pytest.mark.slow
def test_true_sounds_are_taken_and_others_are_not(clips):
    encode = mini_align.ENCODER.build("cpu")
    true = [f["probability"] for f in encode([as_signal(clip) for clip in clips])]
    swapped = [as_signal(clip, other.audio) for clip, other in zip(clips, clips[1:] + clips[:1], strict=True)]
    assert np.mean([p > 0.5 for p in true]) >= 0.8
    assert np.mean([f["probability"] > 0.5 for f in encode(swapped)]) <= 0.2


@pytest.mark.slow
def test_gain_changes_hardly_anything(clips):
    quiet = [as_signal(clip, np.float32(0.1) * clip.audio) for clip in clips]
    for encoder, layer in ((mini_class.ENCODER, "logits"), (mini_align.ENCODER, "probability")):
        encode = encoder.build("cpu")
        for one, two in zip(encode([as_signal(clip) for clip in clips]), encode(quiet), strict=True):
            np.testing.assert_allclose(one[layer], two[layer], atol=1e-3)
