"""Generation: what a model may see, one generator a clip, exact length, resuming, provenance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foleybench.api.model import Model, clip_rng
from foleybench.artefacts import audio_folder
from foleybench.errors import FoleyError
from foleybench.generation import folder as generation
from foleybench.generation.folder import (
    GenerationSettings,
    build_generator,
    generate_folder,
    generate_one,
    visible_part,
)
from foleybench.media.audio import read_sound
from foleybench.shards.dataset import ShardDataset

SETTINGS = GenerationSettings(model="hiss.py:MODEL")


class Hiss:
    """Noise of the right length; remembers what it was given."""

    rate_hz = 8000
    nfe = 0
    guidance = None

    def __init__(self, surplus: int = 0, bad: bool = False) -> None:
        self.surplus, self.bad, self.seen = surplus, bad, []

    def generate(self, clips, rng):
        self.seen += clips
        out = [rng.uniform(-0.5, 0.5, round(c.duration_s * 8000) + self.surplus).astype(np.float32) for c in clips]
        if self.bad:
            out[0][3] = np.nan
        return out


def model_of(generator: Hiss, **changes) -> Model:
    model = Model(
        title="Hiss",
        kind="model",
        sees=frozenset({"video"}),
        licence="MIT",
        description="",
        build=lambda context: generator,
    )
    return dataclasses.replace(model, **changes)


@pytest.fixture
def hiss(monkeypatch):
    generator = Hiss()
    monkeypatch.setattr(generation, "load_model", lambda name: model_of(generator))
    return generator


def test_a_video_model_sees_no_sound_no_label_no_events(clicks):
    clip = ShardDataset(clicks).load("clip00_000000")
    bare = visible_part(clip, model_of(Hiss()))
    assert bare.frames is not None
    assert (bare.audio, bare.events, bare.label, bare.factors) == (None, None, "", {})
    oracle = visible_part(clip, model_of(Hiss(), sees=frozenset({"events"})))
    assert oracle.events == clip.events
    assert (oracle.frames, oracle.audio) == (None, None)


def test_randomness_comes_from_seed_and_clip_id():
    draws = {(s, c): clip_rng(s, c).random() for s in (0, 1) for c in ("a", "b")}
    assert len(set(draws.values())) == 4
    assert clip_rng(0, "a").random() == draws[0, "a"]


@pytest.mark.parametrize(("generator", "message"), [(Hiss(surplus=1), "samples for"), (Hiss(bad=True), "not finite")])
def test_a_model_is_held_to_its_contract(clicks, generator, message):
    clip = ShardDataset(clicks).load("clip00_000000")
    with pytest.raises(FoleyError, match=message):
        generate_one(model_of(generator), generator, clip, 0)


def test_folder_has_every_clip_and_says_how_it_was_made(hiss, clicks, tmp_path):
    out = generate_folder(SETTINGS, clicks, tmp_path / "audio", limit=None, force=False)
    record = audio_folder.read_generation(out)
    ids = ShardDataset(clicks).clip_ids
    assert sorted(record["seconds"]) == ids
    assert record["model"]["name"] == "hiss"
    assert set(record["speed"]) == {"batch_1", "batch_6"}
    assert all(len(read_sound(out / f"{i}.wav")[0]) == 16000 for i in ids)


def test_a_killed_run_goes_on_with_the_same_bytes(hiss, clicks, tmp_path):
    whole = generate_folder(SETTINGS, clicks, tmp_path / "whole", limit=None, force=False)
    part = generate_folder(SETTINGS, clicks, tmp_path / "part", limit=3, force=False)
    made_before = len(hiss.seen)
    generate_folder(SETTINGS, clicks, part, limit=None, force=False)
    fresh = [clip.clip_id for clip in hiss.seen[made_before:]]
    assert "clip00_000000" not in fresh[1:4]
    for clip_id in ShardDataset(clicks).clip_ids:
        assert (part / f"{clip_id}.wav").read_bytes() == (whole / f"{clip_id}.wav").read_bytes()


def test_sound_of_other_settings_is_not_mixed_in(hiss, clicks, tmp_path):
    generate_folder(SETTINGS, clicks, tmp_path, limit=2, force=False)
    with pytest.raises(FoleyError, match="another seed"):
        generate_folder(dataclasses.replace(SETTINGS, seed=1), clicks, tmp_path, limit=2, force=False)


def test_a_trained_model_wants_its_checkpoint(monkeypatch):
    trained = model_of(Hiss(), train=lambda context: context.out)
    monkeypatch.setattr(generation, "load_model", lambda name: trained)
    with pytest.raises(FoleyError, match="needs a checkpoint: train one with `foleybench train x`"):
        build_generator(GenerationSettings(model="x"), None)


def test_row_names_tell_what_differs():
    assert GenerationSettings(model="foleyflow").row_name == "foleyflow"
    assert GenerationSettings(model="foleyflow", nfe=1).row_name == "foleyflow-nfe1"
    assert GenerationSettings(model="foleyflow", guidance=4.5).row_name == "foleyflow-cfg4.5"
    assert GenerationSettings(model="path/to/mine.py:MODEL").row_name == "mine"


def test_row_titles_tell_two_rows_of_one_model_apart():
    model = model_of(Hiss())
    assert generation.row_title(GenerationSettings(model="hiss"), model) == "Hiss"
    assert (
        generation.row_title(GenerationSettings(model="hiss", nfe=1, guidance=2.5), model)
        == "Hiss, 1 NFE, guidance 2.5"
    )
