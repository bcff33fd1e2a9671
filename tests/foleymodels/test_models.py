import dataclasses

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.model import BuildContext, Model
from foleybench.errors import FoleyError
from foleybench.generation.folder import generate_one
from foleybench.synthfoley import ClipSpec, render_clip

NAMES = registry.names("models")


def test_what_the_demo_compares_is_there():
    wanted = {"foleyflow", "foleyflow_static", "foleyflow_dcf", "unconditional", "nearest", "oracle", "ground_truth"}
    assert wanted <= set(NAMES)
    assert not any(name.startswith("_") for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_declares_itself(name):
    model = registry.load("models", name)
    assert isinstance(model, Model)
    assert model.title
    assert model.description.endswith(".")
    assert model.licence
    if model.kind in ("model", "baseline"):
        assert model.sees == {"video"}, "a ranked model sees the video only"


def test_titles_are_unique():
    titles = [registry.load("models", name).title for name in NAMES]
    assert len(set(titles)) == len(titles)


def test_oracle_plays_the_true_events_with_another_timbre():
    spec = ClipSpec(clip_id="x_000000", source_id="x", label="hammer_bar", split="test", duration_s=2.0)
    clip = render_clip(spec)
    model = registry.load("models", "oracle")
    generator = model.build(BuildContext())
    audio = generate_one(model, generator, clip, seed=1)
    assert audio.shape == (32000,)
    assert not np.allclose(audio, clip.audio, atol=1e-3)
    assert not np.array_equal(audio, generate_one(model, generator, clip, seed=2))
    for time_s in clip.onset_times_s():
        start = round(time_s * 16000)
        after, before = audio[start : start + 800], audio[max(0, start - 800) : start]
        assert np.square(after).sum() > np.square(before).sum()


def test_oracle_without_events_says_so():
    spec = ClipSpec(clip_id="x_000000", source_id="x", label="hammer_bar", split="test", duration_s=1.0)
    clip = render_clip(spec)
    generator = registry.load("models", "oracle").build(BuildContext())
    with pytest.raises(FoleyError, match="no exact events"):
        generator.generate([dataclasses.replace(clip, events=None)], np.random.default_rng(0))


def test_the_oracle_refuses_events_of_another_version():
    clip = render_clip(ClipSpec(clip_id="x_000000", source_id="x", label="hammer_bar", split="test", duration_s=1.0))
    other = dataclasses.replace(clip, factors={**clip.factors, "corpus_version": 1})
    generator = registry.load("models", "oracle").build(BuildContext())
    with pytest.raises(FoleyError, match=r"version 1; the oracle plays version 2\."):
        generator.generate([other], np.random.default_rng(0))
