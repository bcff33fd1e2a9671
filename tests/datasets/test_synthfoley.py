"""SynthFoley as a data set: items are cheap and opaque, samples decode to what was rendered, events reach shards."""

import argparse
import dataclasses
import json

import numpy as np
import pytest

from foleybench.clips import Event
from foleybench.datasets.synthfoley import DATASET
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.media.audio import read_sound
from foleybench.media.read import decode_mp4
from foleybench.synthfoley import ClipSpec, class_names, render_clip


def options(*arguments):
    parser = argparse.ArgumentParser()
    DATASET.add_arguments(parser)
    return parser.parse_args(list(arguments))


def test_items_repeat_and_are_json():
    first, second = DATASET.items(options("--splits", "val", "test")), DATASET.items(options("--splits", "test", "val"))
    assert first == second
    assert {item.split for item in first} == {"val", "test"}
    for item in first[:5]:
        assert json.loads(json.dumps(item.spec)) == item.spec
        assert ClipSpec.from_json(json.loads(json.dumps(item.spec))).clip_id == item.clip_id


def test_neither_id_nor_source_says_split_or_class():
    for item in DATASET.items(options("--splits", "test", "heldout_fps", "counterfactual")):
        told = f"{item.clip_id} {item.source_id} {item.source}".lower()
        assert not any(word in told for word in ("test", "heldout", "counter", "_fps"))
        assert not any(name in told or name.split("_")[0] in told for name in class_names())


@pytest.mark.parametrize("split", ["test", "heldout_fps", "counterfactual"])
def test_a_sample_decodes_to_the_rendered_clip(split):
    item = DATASET.items(options("--splits", split, "--seconds", "1.6"))[1]
    sample = DATASET.make(item)
    clip = render_clip(ClipSpec.from_json(item.spec))
    frames, times_s = decode_mp4(sample.mp4)
    assert frames.shape == clip.frames.shape
    np.testing.assert_allclose(times_s, clip.frame_times_s, atol=1e-4)
    assert np.abs(frames.astype(int) - clip.frames).mean() < 8.0
    audio, rate_hz = read_sound(sample.flac)
    assert rate_hz == clip.rate_hz
    np.testing.assert_allclose(audio, clip.audio, atol=1 / 32768)
    assert tuple(Event.from_json(event) for event in json.loads(json.dumps(sample.events))) == clip.events
    assert json.loads(json.dumps(sample.factors)) == clip.factors
    assert {"source", "material"} <= set(sample.events[0])


def test_samples_repeat_to_the_byte():
    item = DATASET.items(options("--splits", "test", "--seconds", "1.2"))[3]
    assert dataclasses.asdict(DATASET.make(item)) == dataclasses.asdict(DATASET.make(item))


def test_the_fingerprint_names_what_decides_the_bytes():
    plain = DATASET.fingerprint(options())
    json.dumps(plain, allow_nan=False)
    assert plain["corpus_version"] == 2
    for change in (["--pixels", "32"], ["--seed", "3"], ["--difficulty", "hard"], ["--size", "base"]):
        assert DATASET.fingerprint(options(*change)) != plain
    assert DATASET.fingerprint(options("--splits", "val")) == plain


def test_wrong_options_are_refused_before_any_work():
    with pytest.raises(UnknownNameError, match="test"):
        DATASET.items(options("--splits", "tset"))
    with pytest.raises(FoleyError, match="33"):
        DATASET.items(options("--pixels", "33"))
