"""The event list: whole, exact, hidden by geometry, and with the shares that the corpus promises."""

import dataclasses
import json

import numpy as np
import pytest

from foleybench.clips import Event
from foleybench.errors import UnknownNameError
from foleybench.synthesis.splits import CorpusOptions
from foleybench.synthfoley import ClipSpec, class_names, compose, load_class
from foleybench.synthfoley.camera import camera_path, cover_path
from foleybench.synthfoley.materials import MATERIALS
from foleybench.synthfoley.mechanisms import load_mechanism
from foleybench.synthfoley.splits import split_specs
from tests.synthfoley.each_class import each_class

SPEED_OF_SOUND = 343.0


def spec(label="bounce_tin", source="a", **changes):
    fields = {"duration_s": 4.0, **changes}
    return ClipSpec(clip_id=f"{source}_000000", source_id=source, label=label, split="train", **fields)


@pytest.fixture(scope="module")
def scenes():
    """Every third clip of the test split."""
    return [compose(wanted) for wanted in split_specs("test", CorpusOptions())[::3]]


def audible(scene):
    return [event for event in scene.events if event.audible]


def test_at_least_24_classes_share_silhouettes_in_groups():
    assert len(class_names()) >= 24
    groups = {}
    for name in class_names():
        groups.setdefault(load_class(name).mechanism, []).append(load_class(name))
    assert all(len(group) == 3 for group in groups.values())
    assert all(len({c.voice for c in group}) == 3 for group in groups.values())
    assert {c.number for group in groups.values() for c in group} == {0, 1, 2}


@pytest.mark.parametrize("label", class_names())
def test_the_card_is_whole(label):
    card = load_class(label)
    assert card.description.endswith(".")
    assert len(set(card.materials)) >= 4
    assert card.heldout_material in card.materials
    assert set(card.materials) <= set(MATERIALS)


def test_an_unknown_class_is_named():
    with pytest.raises(UnknownNameError, match="bounce_tin"):
        load_class("bounce_tim")


def test_the_shares_that_the_corpus_promises(scenes):
    n_sources = np.asarray([len({e.source for e in audible(s)}) for s in scenes])
    assert n_sources.min() >= 1
    assert n_sources.max() <= 3
    assert np.mean(n_sources >= 2) >= 0.40
    heard = [event for scene in scenes for event in audible(scene)]
    assert np.mean([not event.visible for event in heard]) >= 0.20
    assert np.mean([any(actor.silent for actor in scene.actors) for scene in scenes]) >= 0.30
    moving = [s.camera for s in scenes]
    assert np.mean([bool(c.shake[0] or c.pan[0] or c.away[0] or c.zoom[0] != c.zoom[1]) for c in moving]) >= 0.5


def test_what_is_hidden_was_seen_before(scenes):
    seen_before = []
    for scene in scenes:
        for actor in scene.actors:
            own = scene.of(actor)
            seen_before += [
                any(other.visible for other in own[:k]) for k, e in enumerate(own) if e.audible and not e.visible
            ]
    assert np.mean(seen_before) > 0.9


def test_no_two_events_are_alike(scenes):
    tonal = [event.pitch_hz for scene in scenes for event in audible(scene) if event.pitch_hz]
    assert len(set(tonal)) > 0.97 * len(tonal)
    loud = [event.strength for scene in scenes for event in audible(scene)]
    assert min(loud) > 0.05
    assert max(loud) <= 1.0
    assert np.quantile(loud, 0.9) > 2.0 * np.quantile(loud, 0.1)


def test_events_are_typed_json_and_lie_in_the_clip(scenes):
    for scene in scenes[:60]:
        restored = [Event.from_json(json.loads(json.dumps(e.as_json(), allow_nan=False))) for e in scene.events]
        assert tuple(restored) == scene.events
        assert json.loads(json.dumps(scene.factors, allow_nan=False)) == scene.factors
        assert [e.time_s for e in scene.events] == sorted(e.time_s for e in scene.events)
        assert scene.factors["labels"] == sorted({e.label for e in audible(scene)})
        for event in scene.events:
            assert event.time_s >= 0.0
            assert event.time_s + event.duration_s <= 4.0 + 1e-5
            assert event.source in {actor.name for actor in scene.actors}
            assert event.material in load_class(event.label).materials
            tonal = event.audible and load_class(event.label).tonal
            assert (event.pitch_hz is not None) == tonal
            assert (event.kind == "span") == (event.duration_s > 0.0)
            assert not (event.audible and (event.factors.get("soft") or event.factors.get("off")))


def test_it_is_heard_as_much_later_as_it_is_far(scenes):
    for scene in scenes[:60]:
        for actor in scene.actors:
            for event in scene.of(actor):
                assert event.time_s - event.factors["contact_s"] == pytest.approx(
                    actor.distance_m / SPEED_OF_SOUND, abs=2e-6
                )
    near, far = (compose(spec(overrides={"distance_m": distance_m}, difficulty="easy")) for distance_m in (1.5, 30.0))
    first, later = audible(near)[0], audible(far)[0]
    assert later.time_s - first.time_s == pytest.approx(28.5 / SPEED_OF_SOUND, abs=1e-5)
    assert later.strength == pytest.approx(first.strength * 20.0**-0.35, abs=1e-3)


def test_visible_follows_from_geometry(scenes):
    """The contact point, followed through camera and boards by other code, is in the frame just when stated."""
    checked = 0
    for scene in scenes:
        for actor in scene.actors:
            for event in scene.of(actor):
                place = event.factors["place"]
                lx, ly = load_mechanism(load_class(actor.label).mechanism).touch(actor, place)
                world = np.asarray([actor.x + actor.mirror * actor.scale * lx, actor.y + actor.scale * ly])
                seen_s = np.asarray([event.factors["contact_s"] + 0.5 * event.duration_s])
                path, zoom = camera_path(scene.camera, seen_s)
                screen = (world - 0.5 - path[0]) * zoom[0] + 0.5
                inside = bool(((screen > 0.02) & (screen < 0.98)).all())
                behind = False
                for cover in scene.covers:
                    centre = np.asarray([c[0] for c in cover_path(cover, seen_s)])
                    behind |= bool((np.abs(world - centre) < cover.half).all())
                assert event.visible == (inside and not behind)
                checked += not event.visible
    assert checked > 100


def test_silent_movers_never_sound_and_still_move(scenes):
    silent = [(scene, actor) for scene in scenes for actor in scene.actors if actor.silent]
    assert {actor.silent for _, actor in silent} == {"soft", "miss"}
    for scene, actor in silent:
        events = scene.of(actor)
        assert events
        assert not any(event.audible for event in events)


def test_half_the_contacts_of_silent_movers_are_as_fast_as_those_that_sound(scenes):
    """Look-alikes are drawn from the same speeds, places and rhythms: nothing but touch tells them apart."""
    impact = {"sounding": [], "miss": []}
    for scene in scenes:
        for actor in scene.actors:
            if load_class(actor.label).kind == "onset" and actor.silent in ("", "miss"):
                impact["miss" if actor.silent else "sounding"] += [e.factors["impact"] for e in scene.of(actor)]
    assert np.mean(impact["miss"]) == pytest.approx(np.mean(impact["sounding"]), abs=0.05)
    assert np.std(impact["miss"]) == pytest.approx(np.std(impact["sounding"]), abs=0.05)


@pytest.mark.parametrize("label", each_class("mechanism"))
def test_picture_size_rate_and_fps_do_not_change_the_events(label):
    assert compose(spec(label)).events == compose(spec(label, pixels=96, fps=50.0, rate_hz=24000)).events


@pytest.mark.parametrize(
    "label", each_class("mechanism", among=[name for name in class_names() if load_class(name).kind == "onset"])
)
def test_tempo_is_contacts_a_second_also_when_held_out(label):
    rates = []
    for tempo in (0.0, 1.0, 1.45):
        events = [
            e
            for source in "abcdef"
            for e in compose(
                spec(label, source, difficulty="easy", duration_s=10.0, tempo_low=tempo, tempo_high=tempo)
            ).events
        ]
        rates.append(len(events) / 60.0)
    assert rates[0] < 1.35
    assert 1.7 < rates[1] / rates[0] < 3.0
    assert rates[2] > 1.2 * rates[1]


def test_each_actor_draws_its_own_substance_and_each_event_its_own_impact_and_place():
    scene = compose(spec("hammer_bar", "q", difficulty="hard"))
    assert len({(a.stiffness, a.density, a.ring) for a in scene.actors}) == len(scene.actors)
    own = scene.of(scene.actors[0])
    assert len({e.factors["impact"] for e in own}) == len(own)
    assert len({e.factors["place"] for e in own}) == len(own)


def test_place_and_size_and_stiffness_decide_the_pitch():
    def first(**overrides):
        return compose(spec("bounce_bar", difficulty="easy", overrides=overrides)).events

    plain, small = first(size=0.5), first(size=0.0)
    assert small[0].factors["base_hz"] / plain[0].factors["base_hz"] == pytest.approx(2**0.6, rel=1e-4)
    a, b = plain[:2]
    octaves = 0.45 * (b.factors["place"] - a.factors["place"]) + 0.12 * (b.factors["impact"] - a.factors["impact"])
    assert b.factors["base_hz"] / a.factors["base_hz"] == pytest.approx(2**octaves, rel=1e-3)
    wood, rubber = (first(material=m)[0].factors["base_hz"] for m in ("wood", "stone"))
    assert wood != rubber


def test_steady_rhythm_while_hidden():
    uneven = {True: [], False: []}
    for k in range(40):
        scene = compose(spec("bounce_tin", f"s{k}", duration_s=8.0))
        main = scene.actors[0]
        gaps = np.diff([e.factors["contact_s"] for e in scene.of(main)])
        uneven[main.steady].append(gaps.std() / gaps.mean())
    assert max(uneven[True]) < 0.03
    assert np.median(uneven[False]) > 0.06


def test_draws_depend_on_version_seed_and_source_only():
    assert compose(spec()) == compose(spec())
    assert compose(spec()).events != compose(spec(seed=1)).events
    assert compose(dataclasses.replace(spec(), clip_id="other_000000")).events == compose(spec()).events


def test_sources_seldom_start_at_the_same_moment(scenes):
    gaps = [np.diff(sorted(e.time_s for e in audible(scene) if e.kind == "onset")) for scene in scenes]
    assert np.mean(np.concatenate(gaps) < 0.05) < 0.015


def test_what_misses_is_never_reached(scenes):
    for scene in scenes:
        for actor in scene.actors:
            if actor.silent == "miss" and load_class(actor.label).mechanism == "spin":
                assert not any(reached for _, reached in actor.extra["pegs"])
            if actor.silent == "miss" and load_class(actor.label).kind == "span":
                assert all(event.factors["off"] for event in scene.of(actor))
            if actor.silent == "soft":
                assert all(event.factors["soft"] for event in scene.of(actor))


def test_the_fast_set_has_every_mechanism_and_every_voice():
    fast = [param.values[0] for param in each_class("mechanism", "voice") if not param.marks]
    for trait in ("mechanism", "voice"):
        assert {getattr(load_class(name), trait) for name in fast} == {
            getattr(load_class(name), trait) for name in class_names()
        }
    assert len(fast) < len(class_names()) == len(each_class("mechanism"))
