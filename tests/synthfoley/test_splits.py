"""Splits: balanced, disjoint, held out where they say so; counterfactual pairs differ in one factor."""

import collections
import re

import numpy as np
import pytest

from foleybench.errors import UnknownNameError
from foleybench.synthesis.splits import HELDOUT_FPS, SPLITS, CorpusOptions, chosen_splits
from foleybench.synthfoley import class_names, load_class, render_clip
from foleybench.synthfoley.render import common_factors, compose_events
from foleybench.synthfoley.splits import split_specs


@pytest.fixture(scope="module")
def corpus():
    return {split: split_specs(split, CorpusOptions()) for split in SPLITS}


def test_sizes_of_tiny(corpus):
    counts = {split: len(specs) for split, specs in corpus.items()}
    n = len(class_names())
    assert (counts["train"], counts["val"], counts["test"]) == (116 * n, 8 * n, 16 * n)
    assert all(counts[split] == 4 * n for split in SPLITS if split.startswith("heldout"))
    assert counts["counterfactual"] == 8 * n


def test_classes_are_balanced_in_every_split(corpus):
    for specs in corpus.values():
        assert len(set(collections.Counter(spec.label for spec in specs).values())) == 1


def test_ids_are_unique_safe_and_follow_the_pattern(corpus):
    ids = [spec.clip_id for specs in corpus.values() for spec in specs]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"sf[a-z]\d\d[0-9a-f]{8}_\d{6}", clip_id) for clip_id in ids)
    assert all(spec.clip_id.startswith(spec.source_id + "_") for specs in corpus.values() for spec in specs)


def test_another_seed_gives_other_clips():
    first, second = split_specs("val", CorpusOptions()), split_specs("val", CorpusOptions(seed=1))
    assert not {spec.clip_id for spec in first} & {spec.clip_id for spec in second}


def test_training_never_shows_the_heldout_material_or_tempo(corpus):
    for split in ("train", "val", "test"):
        for spec in corpus[split][:400]:
            factors = common_factors(spec)
            assert factors["material"] != load_class(spec.label).heldout_material
            assert factors["tempo"] <= 1.0
    for spec in corpus["heldout_material"]:
        assert common_factors(spec)["material"] == load_class(spec.label).heldout_material
    assert all(common_factors(spec)["tempo"] >= 1.1 for spec in corpus["heldout_tempo"])


def test_heldout_tempo_has_more_onsets_a_second(corpus):
    def rate(split, label):
        specs = [spec for spec in corpus[split] if spec.label == label][:8]
        return np.mean([sum(e.audible and e.visible for e in compose_events(spec).events) for spec in specs])

    for label in ("bounce", "footsteps", "metronome", "ratchet", "strike", "typing", "bell"):
        assert rate("heldout_tempo", label) > rate("test", label), label


def test_heldout_fps_and_length(corpus):
    assert {spec.fps for spec in corpus["heldout_fps"]} == set(HELDOUT_FPS)
    by_class = collections.defaultdict(set)
    for spec in corpus["heldout_fps"]:
        by_class[spec.label].add(spec.fps)
    assert all(rates == set(HELDOUT_FPS) for rates in by_class.values())
    assert {spec.duration_s for spec in corpus["heldout_long"]} == {10.0}
    assert {spec.duration_s for spec in split_specs("heldout_long", CorpusOptions(duration_s=2.0))} == {5.0}


def test_counterfactual_pairs_differ_in_one_factor(corpus):
    specs = corpus["counterfactual"]
    changed = set()
    for base, other in zip(specs[::2], specs[1::2], strict=True):
        assert base.source_id == other.source_id
        assert (base.clip_id[-6:], other.clip_id[-6:]) == ("000000", "000001")
        note = other.notes["counterfactual"]
        before, after = common_factors(base), common_factors(other)
        different = {name for name in before if before[name] != after[name]}
        assert different == {note["changed"]}
        assert (before[note["changed"]], after[note["changed"]]) == (note["from"], note["to"])
        assert base.notes["counterfactual"]["role"] == "base"
        changed |= different
    assert changed == {"material", "tempo", "size", "distance_m", "start_s"}


def rendered_pair(corpus, label, changed):
    specs = corpus["counterfactual"]
    for base, other in zip(specs[::2], specs[1::2], strict=True):
        if other.label == label and other.notes["counterfactual"]["changed"] == changed:
            return render_clip(base), render_clip(other)
    raise AssertionError(f"no pair of {label} that changes {changed}")


@pytest.mark.parametrize(("label", "changed"), [("metronome", "start_s"), ("pouring", "material")])
def test_a_counterfactual_keeps_the_rest_of_the_picture(corpus, label, changed):
    first, second = rendered_pair(corpus, label, changed)
    alike = np.abs(first.frames.astype(int) - second.frames).max(axis=(0, 3)) <= 1
    assert 0.3 < alike.mean() < 1.0


def test_a_shift_of_the_start_shifts_the_onsets_by_as_much(corpus):
    first, second = rendered_pair(corpus, "metronome", "start_s")
    change = second.factors["counterfactual"]
    assert second.onset_times_s()[0] - first.onset_times_s()[0] == pytest.approx(
        change["to"] - change["from"], abs=1e-6
    )


def test_the_default_difficulty_has_silent_and_offscreen_events_in_a_minority(corpus):
    scenes = [compose_events(spec) for spec in corpus["train"][:600]]
    silent = np.mean([any(not e.audible for e in scene.events) for scene in scenes])
    offscreen = np.mean([any(not e.visible for e in scene.events) for scene in scenes])
    assert 0.1 < silent < 0.4
    assert 0.03 < offscreen < 0.2


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="heldout_tempo"):
        split_specs("heldout_temp", CorpusOptions())
    with pytest.raises(UnknownNameError, match="tiny"):
        split_specs("train", CorpusOptions(size="tyni"))
    with pytest.raises(UnknownNameError, match="train"):
        chosen_splits(["trian"])


def test_splits_come_in_their_fixed_order():
    assert chosen_splits(["test", "train"]) == ("train", "test")
    assert chosen_splits(None) == SPLITS
