"""The sound: at the stated time, pitch and strength, and nothing but the event list."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from foleybench.clips import Event
from foleybench.encoders.onsets import detect
from foleybench.synthfoley import ClipSpec, class_names, compose, load_class, render_clip, synthesise
from tests.synthfoley.each_class import each_class

TONAL = [name for name in class_names() if load_class(name).tonal]
ONSETS = [name for name in class_names() if load_class(name).kind == "onset"]


def spec(label="bounce_tin", source="a", **changes):
    fields = {"duration_s": 4.0, "difficulty": "easy", **changes}
    return ClipSpec(clip_id=f"{source}_000000", source_id=source, label=label, split="train", **fields)


def audible(label, source="a", **changes):
    return [event for event in compose(spec(label, source, **changes)).events if event.audible]


def sound_of(wanted):
    """The audio of a clip, without its pictures, which take longer."""
    return synthesise(compose(wanted).events, wanted.duration_s, wanted.rate_hz, wanted.dice.generator("timbre"))


def alone(event, time_s=0.5):
    return [dataclasses.replace(event, time_s=time_s)]


@pytest.mark.parametrize("label", each_class("mechanism", "voice", among=ONSETS))
def test_it_starts_when_the_list_says(label):
    event = audible(label)[0]
    sound = synthesise(alone(event), 2.0, 16000, np.random.default_rng(0))
    assert np.abs(sound[:7984]).max() < 0.005
    first = np.flatnonzero(np.abs(sound) > 0.1 * np.abs(sound).max())[0] / 16000
    assert 0.5 <= first < 0.504


@pytest.mark.parametrize("label", each_class("mechanism", "voice", among=TONAL))
def test_it_has_the_pitch_that_the_list_says(label):
    event = max(audible(label, "e"), key=lambda e: (e.duration_s, e.strength))
    # As loud as can be, so that the noise floor, which is always the same, is far below.
    sound = synthesise(alone(dataclasses.replace(event, strength=1.0)), 3.0, 16000, np.random.default_rng(1))
    spectrum = np.abs(np.fft.rfft(sound[8000:] * np.hanning(40000)))
    freq_hz = np.fft.rfftfreq(40000, 1 / 16000)
    near = np.abs(np.log2(np.maximum(freq_hz, 1.0) / event.pitch_hz)) < 0.04
    # A reed's pitch follows the wheel: the stated one is that of full speed.
    low = 0.75 if label == "wheel_reed" else 0.96
    within = (freq_hz > low * event.pitch_hz) & (freq_hz < 1.04 * event.pitch_hz)
    below = (freq_hz > 40.0) & (freq_hz < 0.9 * low * event.pitch_hz)
    assert spectrum[within].max() > 3.0 * (spectrum[below].max() if below.any() else 0.0)
    if label != "wheel_reed":
        peak = freq_hz[near][spectrum[near].argmax()]
        assert 12 * abs(np.log2(peak / event.pitch_hz)) < 0.3


@pytest.mark.parametrize("label", each_class("voice"))
def test_it_is_as_strong_as_the_list_says(label):
    event = audible(label)[0]
    peaks = []
    for strength in (0.2, 0.4, 0.8):
        sound = synthesise(alone(dataclasses.replace(event, strength=strength)), 3.0, 16000, np.random.default_rng(2))
        peaks.append(np.abs(sound).max())
    assert peaks[1] / peaks[0] == pytest.approx(2.0, rel=0.02)
    assert peaks[2] / peaks[0] == pytest.approx(4.0, rel=0.02)
    assert 0.6 * 0.4 * 0.6 < peaks[1] < 0.6 * 0.4 * 1.5


@pytest.mark.parametrize("label", each_class("voice"))
def test_another_take_is_another_draw_of_the_same_events(label):
    scene = compose(spec(label, duration_s=2.0))
    takes = [synthesise(scene.events, 2.0, 16000, np.random.default_rng(k)) for k in (1, 1, 2, 3, 4)]
    assert np.array_equal(takes[0], takes[1])
    # Tones of the same pitch are alike up to their phase, which a single pair may share by chance.
    assert np.mean(np.abs(np.corrcoef(takes[1:])[np.triu_indices(4, 1)])) < 0.75
    assert np.abs(takes[0]).max() == pytest.approx(np.abs(takes[2]).max(), rel=0.5)


@pytest.mark.parametrize("label", each_class("mechanism", "voice"))
def test_sound_needs_nothing_but_the_json_of_the_events(label):
    wanted = spec(label, difficulty="hard", duration_s=2.0)
    clip = render_clip(wanted)
    events = [Event.from_json(json.loads(json.dumps(event.as_json()))) for event in clip.events]
    np.testing.assert_array_equal(synthesise(events, 2.0, 16000, wanted.dice.generator("timbre")), clip.audio)


@pytest.mark.parametrize("label", each_class("voice"))
def test_silent_events_make_no_sound(label):
    mute = [dataclasses.replace(event, audible=False) for event in compose(spec(label)).events]
    assert np.abs(synthesise(mute, 4.0, 16000, np.random.default_rng(0))).max() < 0.005


def band_shape(sound):
    """Return the share of power in third-octave-like bands, shape (24,)."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    edges = np.geomspace(100, 8000, 25) / 8000 * (len(power) - 1)
    bands = np.asarray([power[int(a) : int(b) + 1].sum() for a, b in itertools.pairwise(edges)])
    return np.log(bands + 1e-6 * bands.sum()) - np.log(bands.sum())


@pytest.mark.parametrize("mechanism", sorted({load_class(name).mechanism for name in class_names()}))
def test_classes_with_one_silhouette_are_heard_apart(mechanism):
    """The spread between the classes of a mechanism is larger than that within them, with other draws equal."""
    names = [name for name in class_names() if load_class(name).mechanism == mechanism]
    shapes = np.asarray(
        [
            [
                band_shape(sound_of(spec(name, source, overrides={"material": "metal", "size": 0.5})))
                for source in "abcd"
            ]
            for name in names
        ]
    )
    within = shapes.std(axis=1).mean()
    between = shapes.mean(axis=1).std(axis=0).mean()
    assert between > 0.7 * within


@pytest.mark.parametrize("label", ["hammer_bar", "bounce_drum", "collide_bell", "scrape_rough"])
def test_material_is_heard(label):
    card = load_class(label)
    sounds = [sound_of(spec(label, overrides={"material": name})) for name in card.materials[:2]]
    assert np.abs(band_shape(sounds[0]) - band_shape(sounds[1])).mean() > 0.15


@pytest.mark.slow
def test_the_detector_finds_the_events_of_the_true_sound():
    """The ceiling of event F1 on clips without spans: what a perfect system scores."""
    hits = found = wanted = 0
    for label in ONSETS:
        for source in "abc":
            clip = render_clip(spec(label, source, difficulty="default"))
            if any(e.audible and e.kind == "span" for e in clip.events):
                continue
            times, heard = clip.onset_times_s(), detect(clip.audio)[0]
            left = list(heard)
            for time_s in times:
                near = [h for h in left if abs(h - time_s) <= 0.025]
                if near:
                    left.remove(near[0])
                    hits += 1
            found, wanted = found + len(heard), wanted + len(times)
    assert 2 * hits / (found + wanted) > 0.95


def test_loud_clips_are_scaled_and_never_clip():
    event = audible("bounce_tin")[0]
    many = [dataclasses.replace(event, strength=1.0, time_s=0.5 + 0.0001 * k) for k in range(30)]
    sound = synthesise(many, 2.0, 16000, np.random.default_rng(0))
    assert np.abs(sound).max() == pytest.approx(0.98, abs=1e-3)


def centroid_hz(sound):
    power = np.abs(np.fft.rfft(sound[8000:])) ** 2
    return float((power * np.fft.rfftfreq(len(sound) - 8000, 1 / 16000)).sum() / power.sum())


@pytest.mark.parametrize("label", ["hammer_bar", "collide_tin", "spin_bell", "step_drum"])
def test_harder_is_brighter_and_farther_is_duller(label):
    event = dataclasses.replace(audible(label)[0], strength=1.0)

    def heard(**factors):
        changed = dataclasses.replace(event, factors={**event.factors, **factors})
        takes = [synthesise(alone(changed), 2.0, 16000, np.random.default_rng(k)) for k in range(4)]
        return np.mean([centroid_hz(take) for take in takes])

    assert heard(impact=1.0, distance_m=1.5) > 1.01 * heard(impact=0.3, distance_m=1.5)
    assert heard(distance_m=1.5, impact=0.6) > 1.01 * heard(distance_m=30.0, impact=0.6)


def test_what_is_said_to_have_a_pitch_lasts_long_enough_for_one():
    shortest = [
        e.factors["decay_s"] * e.pitch_hz
        for label in ONSETS
        if load_class(label).tonal
        for source in "abc"
        for e in audible(label, source)
    ]
    assert min(shortest) >= 13.9
