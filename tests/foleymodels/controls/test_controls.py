import dataclasses

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.model import BuildContext
from foleybench.artefacts.fewer_clips import why_not_scored
from foleybench.clips import Clip
from foleybench.errors import FoleyError, MediaError
from foleybench.generation.folder import GenerationSettings, describe_model, generate_folder, generate_one
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.shards.dataset import ShardDataset
from foleymodels.controls._change import rms, shifted
from tests.foleymodels.toy import toy_corpus

CONTROLS = [
    "ground_truth",
    "other_clip",
    "other_class",
    "shift_100ms",
    "shift_500ms",
    "shift_1s",
    "shift_2s",
    "band_limited",
    "vocoded",
    "noise",
    "silence",
    "metronome",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return ShardDataset(toy_corpus(tmp_path_factory.mktemp("toy"), "test", 6))


def sound(name, data, clip, seed=0):
    model = registry.load("models", name)
    return generate_one(model, model.build(BuildContext(data=data)), clip, seed)


def test_every_control_has_a_file():
    controls = {name for name in registry.names("models") if registry.load("models", name).kind == "control"}
    assert controls == {*CONTROLS, "vocoder", "codec"}  # trained first: see test_vocoder.py, test_codec.py


@pytest.mark.parametrize("name", CONTROLS)
def test_length_and_seed(name, data):
    clip = data.load(data.clip_ids[0])
    first = sound(name, data, clip)
    assert first.shape == (20480,)
    assert first.dtype == np.float32
    assert np.array_equal(first, sound(name, data, clip))


def a_clip(rate_hz, duration_s=1.2345):
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, round(duration_s * rate_hz) - 1).astype(np.float32)
    return Clip(
        clip_id="a_000000",
        source_id="a",
        label="x",
        split="test",
        duration_s=duration_s,
        frames=None,
        frame_times_s=np.zeros(0),
        audio=audio,
        rate_hz=rate_hz,
    )


@pytest.mark.parametrize(("rate_hz", "n_samples"), [(8000, 9876), (22050, 27221), (48000, 59256)])
def test_taken_and_moved_sound_keeps_its_rate_whatever_it_is(rate_hz, n_samples):
    clip = a_clip(rate_hz)
    assert np.array_equal(sound("ground_truth", None, clip), np.append(clip.audio, np.float32(0)))
    late = round(0.1 * rate_hz)
    assert np.array_equal(sound("shift_100ms", None, clip)[late:-1], clip.audio[: n_samples - 1 - late])
    for name in ("noise", "silence"):
        assert sound(name, None, clip).shape == (n_samples,)
    for name in ("band_limited", "vocoded"):
        assert sound(name, None, clip).shape == (19752,)


def test_another_clips_sound_comes_at_the_clips_own_rate(data):
    clip = dataclasses.replace(a_clip(44100), clip_id=data.clip_ids[0], label=data.entry(data.clip_ids[0]).label)
    assert sound("other_clip", data, clip).shape == (54441,)


@pytest.mark.parametrize("rate_hz", [16000, 44100])
def test_ground_truth_is_ideal_for_every_metric_of_the_signal(rate_hz, tmp_path):
    data = toy_corpus(tmp_path, "test", 2, rate_hz=rate_hz)
    audio = generate_folder(GenerationSettings(model="ground_truth"), data, tmp_path / "audio", limit=None, force=False)
    model = {"name": "ground_truth", "kind": "control"}
    result, _ = evaluate(EvalRequest(data=data, audio=audio, protocol="signal", model=model, resamples=20))
    assert result["status"] == "complete"
    for name, record in result["metrics"].items():
        assert record["value"] == pytest.approx(registry.load("metrics", name).ideal, abs=1e-9), name


def test_ground_truth_is_the_sound(data):
    clip = data.load(data.clip_ids[1])
    assert np.array_equal(sound("ground_truth", data, clip), clip.audio)


def test_shift_moves_by_the_exact_number_of_samples(data):
    clip = data.load(data.clip_ids[0])
    late = sound("shift_100ms", data, clip)
    assert np.array_equal(late[1600:], clip.audio[:-1600])
    assert not late[:1600].any()
    assert np.array_equal(sound("shift_500ms", data, clip)[8000:], clip.audio[:-8000])
    assert np.array_equal(sound("shift_1s", data, clip)[16000:], clip.audio[:-16000])
    assert not sound("shift_2s", data, clip).any()  # the clip is shorter than that
    assert not shifted(np.ones(10, dtype=np.float32), 1.0, 16000).any()


def test_other_clips_are_of_the_right_class_and_never_of_the_same_source(data):
    by_sound = {data.load(i).audio.tobytes(): data.entry(i) for i in data.clip_ids}
    clip = data.load(data.clip_ids[0])
    for seed in range(8):
        same = by_sound[sound("other_clip", data, clip, seed).tobytes()]
        other = by_sound[sound("other_class", data, clip, seed).tobytes()]
        assert same.label == clip.label
        assert same.source_id != clip.source_id
        assert other.label != clip.label


def test_other_clip_without_another_says_so(data, tmp_path):
    alone = ShardDataset(toy_corpus(tmp_path, "test", 2))
    with pytest.raises(FoleyError, match="no other clip of the same class for any clip"):
        sound("other_clip", alone, alone.load(alone.clip_ids[0]))
    with pytest.raises(FoleyError, match="--data"):
        sound("other_clip", None, data.load(data.clip_ids[0]))


class Relabelled:
    """The clips of a data set under other labels, and other sources where given."""

    def __init__(self, data, labels, sources=()):
        self.data, self.path = data, data.path
        found = [data.entry(clip_id) for clip_id in data.clip_ids]
        found = [dataclasses.replace(one, label=label) for one, label in zip(found, labels, strict=True)]
        for index, source in enumerate(sources):
            found[index] = dataclasses.replace(found[index], source_id=source)
        self._entries = {one.clip_id: one for one in found}

    def entries(self):
        return list(self._entries.values())

    def entry(self, clip_id):
        return self._entries[clip_id]

    def load(self, clip_id, *, video=True, audio=True):
        return dataclasses.replace(self.data.load(clip_id, video=video, audio=audio), label=self.entry(clip_id).label)


def drawn(name, data, index):
    """Return the numbers of the clips that a control draws from for a clip."""
    numbers = {data.load(one.clip_id).audio.tobytes(): n for n, one in enumerate(data.entries())}
    clip = data.load(data.entries()[index].clip_id)
    return {numbers[sound(name, data, clip, seed).tobytes()] for seed in range(40)}


@pytest.mark.parametrize(("label", "title"), [("", "Another clip"), ("a", "Another clip, same class")])
def test_the_title_says_what_was_drawn(data, label, title):
    """P11: of a folder, whose clips have no labels, no class is claimed."""
    given = Relabelled(data, [label] * 6)
    model = registry.load("models", "other_clip")
    built = model.build(BuildContext(data=given))
    card = describe_model(GenerationSettings(model="other_clip"), model, built)["model"]
    assert card["title"] == title
    assert ("same class" in card["description"]) == ("same class" in title)
    assert drawn("other_clip", given, 2) == {0, 1, 3, 4, 5}


def test_a_clip_without_a_label_is_of_no_class_among_clips_that_have_one(data):
    given = Relabelled(data, ["", "a", "b", "", "a", "c"])
    assert drawn("other_clip", given, 1) == {4}
    assert drawn("other_class", given, 1) == {2, 5}
    for name in ("other_clip", "other_class"):
        with pytest.raises(MediaError, match="no_other_clip: it has no label, so this control makes no audio for it"):
            drawn(name, given, 0)
    with pytest.raises(MediaError, match="no_other_clip: the data set has no other clip of the same class, 'b', so"):
        drawn("other_clip", given, 2)


@pytest.mark.parametrize(
    ("name", "labels", "sources", "message"),
    [
        ("other_clip", "abcdef", "", "no other clip of the same class for any clip"),
        ("other_clip", "aabbcc", "112233", "no other clip of the same class for any clip"),
        ("other_clip", ["", "", "a", "b", "c", "d"], "", "no other clip of the same class for any clip"),
        ("other_class", "aaaaaa", "", "no other clip of another class for any clip"),
        ("other_class", [""] * 6, "", "no other clip of another class for any clip"),
        ("other_class", "aaabbb", "111111", "no other clip of another class for any clip"),
    ],
)
def test_a_control_that_has_nothing_for_any_clip_is_refused(data, name, labels, sources, message):
    with pytest.raises(FoleyError, match=message):
        registry.load("models", name).build(BuildContext(data=Relabelled(data, labels, sources)))


def test_a_clip_without_another_of_its_class_is_left_out_and_the_rest_scored(tmp_path):
    """P11: of two clicks and a tone, the tone alone has no row."""
    data = toy_corpus(tmp_path, "test", 3)
    audio = generate_folder(GenerationSettings(model="other_clip"), data, tmp_path / "audio", limit=None, force=False)
    model = {"name": "other_clip", "kind": "control"}
    asked = EvalRequest(data=data, audio=audio, protocol=None, metrics=("level_difference",), model=model, resamples=20)
    result, _ = evaluate(asked)
    assert (result["status"], result["dataset"]["n_scored"]) == ("partial", 2)
    (problem,) = result["problems"]
    assert (problem["clip_id"], problem["kind"]) == ("toy0001_000000", "no_other_clip")
    assert "no other clip of the same class, 'tone'" in problem["detail"]
    assert why_not_scored(result) == "1 no other clip"


def test_noise_has_the_level_of_the_truth_and_another_seed_another_noise(data):
    clip = data.load(data.clip_ids[0])
    noise = sound("noise", data, clip)
    assert rms(noise) == pytest.approx(rms(clip.audio), rel=0.05)
    assert not np.array_equal(noise, sound("noise", data, clip, seed=1))


def test_band_limited_has_nothing_above_4_khz(data):
    clip = data.load(data.clip_ids[0])
    power = np.abs(np.fft.rfft(sound("band_limited", data, clip))) ** 2
    truth = np.abs(np.fft.rfft(clip.audio)) ** 2
    above = np.fft.rfftfreq(20480, 1 / 16000) > 4200
    assert power[above].sum() < 1e-2 * truth[above].sum()
    assert power[~above].sum() > 0.8 * truth[~above].sum()


def test_silence_is_silent(data):
    assert not sound("silence", data, data.load(data.clip_ids[0])).any()


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_the_metronome_clicks_in_the_middle_of_every_50_ms_whatever_the_clip(rate_hz):
    found = sound("metronome", None, a_clip(rate_hz))
    starts = {8000: 200, 16000: 400, 44100: 1102}[rate_hz] + {8000: 400, 16000: 800, 44100: 2205}[rate_hz] * np.arange(
        25
    )
    length = round(0.01 * rate_hz)
    first = found[starts[0] : starts[0] + length]
    assert np.abs(first).max() == pytest.approx(0.5)
    for start in starts[1:-1]:
        assert np.array_equal(found[start : start + length], first)
    assert not np.delete(found, (starts[:, None] + np.arange(length)).clip(max=len(found) - 1)).any()
    assert np.abs(first[: length // 4]).max() > 10 * np.abs(first[length // 2 :]).max()
    quiet = dataclasses.replace(a_clip(rate_hz), clip_id="b_000000", audio=0.01 * a_clip(rate_hz).audio)
    assert np.array_equal(found, sound("metronome", None, quiet, seed=3))
    assert sound("metronome", None, a_clip(rate_hz, duration_s=0.02)).shape == (round(0.02 * rate_hz),)


def test_a_clip_without_audio_is_refused(data):
    clip = dataclasses.replace(data.load(data.clip_ids[0]), audio=None)
    with pytest.raises(FoleyError, match="has no audio"):
        sound("ground_truth", data, clip)
