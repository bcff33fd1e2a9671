"""Splits: large enough, opaque ids, held-out parts held out, pairs that differ in one factor."""

import collections
import functools
import re

import numpy as np
import pytest

from foleybench.clip_ids import VALID
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.synthesis.splits import HELDOUT_FPS, SPLITS, CorpusOptions, chosen_splits
from foleybench.synthfoley import ClipSpec, class_names, compose, load_class, render_clip
from foleybench.synthfoley.splits import CHANGES, SIZES, split_specs
from tests.synthfoley.each_class import each_class


@functools.cache
def all_specs():
    return [spec for split in SPLITS for spec in split_specs(split, CorpusOptions())]


def test_the_test_split_holds_a_thousand_clips_balanced_over_classes():
    specs = split_specs("test", CorpusOptions())
    assert len(specs) >= 1000
    counts = collections.Counter(spec.label for spec in specs)
    assert set(counts) == set(class_names())
    assert len(set(counts.values())) == 1


def test_ids_say_nothing():
    specs = all_specs()
    ids = [spec.clip_id for spec in specs]
    assert len(set(ids)) == len(ids)
    assert all(VALID.fullmatch(clip_id) for clip_id in ids)
    assert all(re.fullmatch(r"s[0-9a-f]{12}_000000", clip_id) for clip_id in ids)
    # No digit of the id is worth knowing: for each place, splits and classes share their digits evenly.
    for key in ("label", "split"):
        table = collections.defaultdict(collections.Counter)
        for spec in specs:
            table[getattr(spec, key)][spec.clip_id[1]] += 1
        for counts in table.values():
            n = sum(counts.values())
            assert max(counts.values()) / n < 1 / 16 + 4 * (1 / 16 / n) ** 0.5


def test_other_seeds_are_other_clips():
    assert not {s.clip_id for s in split_specs("val", CorpusOptions())} & {
        s.clip_id for s in split_specs("val", CorpusOptions(seed=1))
    }


@pytest.mark.slow
def test_training_never_shows_the_heldout_material_with_its_class():
    for split in ("train", "val", "test"):
        for spec in split_specs(split, CorpusOptions())[:200]:
            for actor in compose(spec).actors:
                assert actor.material != load_class(actor.label).heldout_material
    for spec in split_specs("heldout_material", CorpusOptions()):
        main = compose(spec).actors[0]
        assert main.material == load_class(main.label).heldout_material


def test_heldout_tempo_rates_and_lengths():
    assert all(1.1 <= compose(s).factors["tempo"] <= 1.45 for s in split_specs("heldout_tempo", CorpusOptions())[:50])
    assert {s.fps for s in split_specs("heldout_fps", CorpusOptions())} == set(HELDOUT_FPS)
    per_class = collections.defaultdict(set)
    for s in split_specs("heldout_fps", CorpusOptions()):
        per_class[s.label].add(s.fps)
    assert all(len(rates) == 4 for rates in per_class.values())
    assert {s.duration_s for s in split_specs("heldout_long", CorpusOptions())} == {10.0}
    assert {s.duration_s for s in split_specs("heldout_long", CorpusOptions(duration_s=2.0))} == {5.0}


def test_pairs_share_everything_but_one_factor():
    specs = split_specs("counterfactual", CorpusOptions())
    pairs = list(zip(specs[::2], specs[1::2], strict=True))
    assert {base.notes["counterfactual"]["changed"] for base, _ in pairs} == set(CHANGES)
    for base, changed in pairs[:60]:
        assert base.source_id == changed.source_id
        assert base.clip_id != changed.clip_id
        before, after = compose(base), compose(changed)
        name = base.notes["counterfactual"]["changed"]
        assert before.factors[name] == base.notes["counterfactual"]["from"]
        assert after.factors[name] == changed.notes["counterfactual"]["to"]
        others = [n for n in CHANGES if n != name]
        assert [before.factors[n] for n in others] == [after.factors[n] for n in others]
        assert before.actors[1:] == after.actors[1:]
        assert before.camera == after.camera
        rest = [[e.time_s for e in scene.events if e.source != "a"] for scene in (before, after)]
        assert rest[0] == rest[1]


def test_every_class_has_pairs_of_several_changes():
    changes = collections.defaultdict(set)
    for spec in split_specs("counterfactual", CorpusOptions()):
        changes[spec.label].add(spec.notes["counterfactual"]["changed"])
    assert min(len(found) for found in changes.values()) >= 3


@pytest.mark.parametrize("label", each_class("mechanism", "voice"))
def test_a_clip_is_whole_and_repeats(label):
    wanted = ClipSpec(clip_id="x_000000", source_id="x", label=label, split="t", duration_s=1.2, difficulty="hard")
    clip, again = render_clip(wanted), render_clip(wanted)
    assert clip.frames.shape == (30, 64, 64, 3)
    assert clip.frames.dtype == np.uint8
    assert clip.audio.shape == (19200,)
    assert clip.audio.dtype == np.float32
    assert np.isfinite(clip.audio).all()
    assert 0.01 < np.abs(clip.audio).max() < 1.0
    assert clip.frames.tobytes() == again.frames.tobytes()
    assert clip.audio.tobytes() == again.audio.tobytes()
    assert clip.events == again.events
    assert clip.factors == again.factors


@pytest.mark.parametrize(
    "changes", [{"fps": 12.5}, {"fps": 30000 / 1001}, {"duration_s": 1.37}, {"pixels": 32}, {"rate_hz": 22050}]
)
@pytest.mark.parametrize("label", ["bounce_bar", "step_tube", "spin_tin", "wheel_card", "bow_saw"])
def test_any_rate_size_and_length(label, changes):
    fields = {"duration_s": 1.2, **changes}
    wanted = ClipSpec(clip_id="x_000000", source_id="x", label=label, split="t", **fields)
    clip = render_clip(wanted)
    assert len(clip.audio) == round(wanted.duration_s * wanted.rate_hz)
    assert clip.frames.shape == (round(wanted.duration_s * wanted.fps), wanted.pixels, wanted.pixels, 3)
    np.testing.assert_allclose(clip.frame_times_s, np.arange(len(clip.frames)) / wanted.fps)


@pytest.mark.parametrize(
    ("field", "value"),
    [("pixels", 30), ("pixels", 65), ("pixels", 226), ("duration_s", 0.5), ("fps", 0.0), ("rate_hz", 4000)],
)
def test_what_cannot_be_made_is_refused(field, value):
    with pytest.raises(FoleyError, match=str(value)):
        ClipSpec(clip_id="x_000000", source_id="x", label="bounce_bar", split="t", **{field: value})


def test_a_clip_that_does_not_fit_in_memory_is_refused():
    with pytest.raises(FoleyError, match=r"600\.0 s at 25\.0 frames per second and 224 pixels"):
        ClipSpec(clip_id="x_000000", source_id="x", label="bounce_bar", split="t", duration_s=600.0, pixels=224)


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="test"):
        split_specs("tset", CorpusOptions())
    with pytest.raises(UnknownNameError, match="tiny"):
        split_specs("test", CorpusOptions(size="tini"))
    with pytest.raises(UnknownNameError, match="train"):
        chosen_splits(["trian"])
    with pytest.raises(UnknownNameError, match="default"):
        render_clip(ClipSpec(clip_id="x_000000", source_id="x", label="bounce_bar", split="t", difficulty="none"))
    assert chosen_splits(["test", "train"]) == ("train", "test")
    assert set(SIZES) == {"tiny", "base"}
