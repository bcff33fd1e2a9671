"""The contract of every class: what is composed, seen and heard agree."""

import dataclasses
import json

import numpy as np
import pytest

from foleybench.clips import Clock, Event
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.synthfoley import ClipSpec, class_names, compose_events, load_class, render_clip, synthesise
from foleybench.synthfoley.materials import MATERIALS

CLASSES = class_names()
ONSETS = [name for name in CLASSES if load_class(name).kind == "onset"]
SPANS = [name for name in CLASSES if load_class(name).kind == "span"]


def spec(label, source="a", **changes):
    fields = {"difficulty": "easy", "duration_s": 2.0, **changes}
    return ClipSpec(clip_id=f"{source}_000000", source_id=source, label=label, split="train", **fields)


def onset_strength(audio, rate_hz):
    """Return the rise of log band energy every 5 ms, shape (n,)."""
    hop, window = rate_hz // 200, 256
    padded = np.pad(audio, (window - hop, hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop] * np.hanning(window)
    bands = np.log1p(300 * np.abs(np.fft.rfft(frames)))[:, 1:].reshape(len(frames), 16, -1).mean(axis=2)
    return np.maximum(np.diff(bands, axis=0, prepend=bands[:1]), 0.0).sum(axis=1)


def test_there_are_at_least_twelve_classes_in_four_families():
    assert len(CLASSES) >= 12
    assert {load_class(name).family for name in CLASSES} == {"impact", "periodic", "continuous", "tonal"}


def test_an_unknown_class_is_named():
    with pytest.raises(UnknownNameError, match="bounce"):
        load_class("bounse")


@pytest.mark.parametrize("label", CLASSES)
def test_the_card_is_whole(label):
    card = load_class(label)
    assert card.description.endswith(".")
    assert len(set(card.materials)) >= 3
    assert card.heldout_material in card.materials
    assert set(card.materials) <= set(MATERIALS)


@pytest.mark.parametrize("label", CLASSES)
def test_a_clip_is_whole_and_repeats(label):
    wanted = spec(label, difficulty="hard")
    clip, again = render_clip(wanted), render_clip(wanted)
    assert clip.frames.shape == (50, 64, 64, 3)
    assert clip.frames.dtype == np.uint8
    assert clip.audio.shape == (32000,)
    assert clip.audio.dtype == np.float32
    assert np.isfinite(clip.audio).all()
    assert 0.01 < np.abs(clip.audio).max() < 1.0
    assert clip.frames.tobytes() == again.frames.tobytes()
    assert clip.audio.tobytes() == again.audio.tobytes()
    assert clip.events == again.events
    other = render_clip(spec(label, "b", difficulty="hard"))
    assert other.audio.tobytes() != clip.audio.tobytes()
    assert other.frames.tobytes() != clip.frames.tobytes()


@pytest.mark.parametrize("label", CLASSES)
@pytest.mark.parametrize(
    "changes", [{"fps": 12.5}, {"fps": 30000 / 1001}, {"duration_s": 1.37}, {"pixels": 32}, {"rate_hz": 22050}]
)
def test_any_rate_size_and_length(label, changes):
    wanted = spec(label, **changes)
    clip = render_clip(wanted)
    clock = Clock(wanted.duration_s)
    assert len(clip.audio) == clock.samples(wanted.rate_hz)
    assert clip.frames.shape == (round(wanted.duration_s * wanted.fps), wanted.pixels, wanted.pixels, 3)
    np.testing.assert_allclose(clip.frame_times_s, np.arange(len(clip.frames)) / wanted.fps)
    assert clip.frames.std() > 3.0


@pytest.mark.parametrize("label", CLASSES)
def test_picture_size_rate_and_fps_do_not_change_the_events(label):
    assert compose_events(spec(label)) == compose_events(spec(label, pixels=96, fps=50.0, rate_hz=24000))


@pytest.mark.parametrize("label", CLASSES)
def test_events_and_factors_are_json_and_lie_in_the_clip(label):
    for source in "abcdef":
        scene = compose_events(spec(label, source, difficulty="hard", duration_s=4.0))
        restored = [Event.from_json(json.loads(json.dumps(event.as_json(), allow_nan=False))) for event in scene.events]
        assert tuple(restored) == scene.events
        json.dumps(scene.factors, allow_nan=False)
        assert [event.time_s for event in scene.events] == sorted(event.time_s for event in scene.events)
        for event in scene.events:
            assert event.time_s >= 0.0
            assert event.time_s + event.duration_s <= 4.0 + 1e-6
            assert 0.0 < event.strength <= 1.0
            assert event.audible or event.visible


@pytest.mark.parametrize("label", ONSETS)
def test_audible_onsets_keep_their_distance_also_at_heldout_tempo(label):
    for source in "abcdefgh":
        scene = compose_events(spec(label, source, difficulty="hard", duration_s=6.0, tempo_low=1.1, tempo_high=1.45))
        times = np.asarray([event.time_s for event in scene.events if event.audible])
        assert len(times) >= 3
        assert np.diff(times).min() >= load_class(label).min_gap_s - 1e-6


@pytest.mark.parametrize("label", ONSETS)
def test_sound_rises_at_each_onset_and_only_there(label):
    clip = render_clip(spec(label, duration_s=3.0))
    rise = onset_strength(clip.audio, clip.rate_hz)
    times = np.arange(len(rise)) / 200.0
    near = np.abs(times[:, None] - clip.onset_times_s()[None, :])
    at_onsets = [rise[near[:, k] <= 0.02].max() for k in range(near.shape[1])]
    middle = (times > 0.05) & (times < clip.duration_s - 0.05)
    elsewhere = rise[(near.min(axis=1) > 0.04) & middle].max()
    assert np.median(at_onsets) > 2.0 * elsewhere
    assert np.mean(np.asarray(at_onsets) > elsewhere) >= 0.8


def blocks_at(clip, times_s):
    """Return the mean picture on screen at some times, in blocks of 4 x 4 pixels."""
    shown = np.searchsorted(clip.frame_times_s, times_s - 1e-9)
    frames = clip.frames[np.minimum(shown, len(clip.frames) - 1)].astype(np.float64)
    return frames.mean(axis=0).reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("label", ONSETS)
def test_the_picture_shows_when_it_sounds(label):
    rng = np.random.default_rng(0)
    at_onsets, at_random = [], []
    for source in "abcd":
        clip = render_clip(spec(label, source, duration_s=6.0))
        onsets, whole = clip.onset_times_s(), blocks_at(clip, clip.frame_times_s)
        at_onsets.append(np.abs(blocks_at(clip, onsets) - whole).max())
        shuffled = [np.abs(blocks_at(clip, rng.uniform(0.0, 5.9, len(onsets))) - whole).max() for _ in range(5)]
        at_random.append(np.mean(shuffled))
    # Every key press is in another place, so the mean picture of typing shows less than that of the others.
    assert np.mean(at_onsets) > (1.05 if label == "typing" else 1.5) * np.mean(at_random)
    assert np.mean(at_onsets) > 10.0


@pytest.mark.parametrize("label", SPANS)
def test_level_follows_the_spans(label):
    loud, quiet = [], []
    for source in "abcdef":
        clip = render_clip(spec(label, source, duration_s=4.0))
        times = np.arange(len(clip.audio)) / clip.rate_hz
        inside = np.zeros(len(times), dtype=bool)
        margin = np.zeros(len(times), dtype=bool)
        for event in clip.events:
            end_s = event.time_s + event.duration_s
            inside |= (times > event.time_s + 0.1) & (times < end_s - 0.1)
            margin |= (times > event.time_s - 0.05) & (times < end_s + 0.25)
        loud.append(np.mean(clip.audio[inside] ** 2))
        quiet += [np.mean(clip.audio[~margin] ** 2)] if (~margin).sum() > 1000 else []
    assert np.mean(loud) > 100 * np.mean(quiet)


@pytest.mark.parametrize("label", CLASSES)
def test_resynthesis_is_another_draw_of_the_same_events(label):
    clip = render_clip(spec(label))
    take = [synthesise(clip.events, label, clip.factors, 2.0, 16000, np.random.default_rng(k)) for k in (1, 1, 2)]
    assert np.array_equal(take[0], take[1])
    assert take[0].shape == clip.audio.shape
    likeness = abs(np.corrcoef(take[0], take[2])[0, 1])
    assert likeness < 0.6
    assert np.abs(take[0]).max() == pytest.approx(np.abs(take[2]).max(), rel=0.1)


@pytest.mark.parametrize("label", CLASSES)
def test_sound_needs_nothing_but_json(label):
    clip = render_clip(spec(label))
    events = [Event.from_json(json.loads(json.dumps(event.as_json()))) for event in clip.events]
    factors = json.loads(json.dumps(clip.factors))
    rng = spec(label).dice.generator("timbre")
    np.testing.assert_array_equal(synthesise(events, label, factors, 2.0, 16000, rng), clip.audio)


@pytest.mark.parametrize("label", CLASSES)
def test_silent_events_make_no_sound(label):
    clip = render_clip(spec(label))
    mute = [dataclasses.replace(event, audible=False) for event in clip.events]
    sound = synthesise(mute, label, clip.factors, 2.0, 16000, np.random.default_rng(0))
    assert np.abs(sound).max() < 0.005


@pytest.mark.parametrize("label", CLASSES)
def test_material_size_and_distance_are_heard_and_seen(label):
    card = load_class(label)
    seen = [name for name in card.materials if name != card.heldout_material]
    base = {"material": seen[0], "size": 0.2, "distance_m": 1.0}
    first = render_clip(spec(label, overrides=base))
    for name, value in (("material", seen[1]), ("size", 0.9), ("distance_m", 2.4)):
        second = render_clip(spec(label, overrides={**base, name: value}))
        assert np.abs(first.frames.astype(int) - second.frames).mean() > 0.2, name
        # How heavily an object falls or is drawn may change the sound, never when it happens.
        assert [event.time_s for event in first.events] == [event.time_s for event in second.events], name
        assert np.abs(first.audio - second.audio).mean() > 0.02 * np.abs(first.audio).mean(), name
    assert np.abs(second.audio).max() < 0.7 * np.abs(first.audio).max()


@pytest.mark.parametrize(
    ("field", "value"),
    [("pixels", 30), ("pixels", 65), ("pixels", 226), ("duration_s", 0.5), ("fps", 0.0), ("rate_hz", 4000)],
)
def test_what_cannot_be_made_is_refused(field, value):
    with pytest.raises(FoleyError, match=str(value)):
        spec("bounce", **{field: value})


def test_a_clip_that_does_not_fit_in_memory_is_refused():
    with pytest.raises(FoleyError, match=r"600\.0 s at 25\.0 frames per second and 224 pixels"):
        spec("bounce", duration_s=600.0, pixels=224)


def test_an_unknown_difficulty_is_named():
    with pytest.raises(UnknownNameError, match="default"):
        render_clip(spec("bounce", difficulty="impossible"))
