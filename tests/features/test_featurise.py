"""Encoders run once, in order, on what they may see; frames are decoded only when needed."""

import dataclasses
import hashlib
import types

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.encoder import ANY, Encoder
from foleybench.errors import FoleyError
from foleybench.features import featurise
from foleybench.features.cache import FeatureCache, feature_key
from foleybench.features.featurise import EncoderMaterial, Featuriser, depends_on, in_order, job
from foleybench.runtime.precision import DRAFT, WHOLE


def encoder(modality, after=(), calls=None):
    def encode(signals):
        if calls is not None:
            calls.append(len(signals))
        rows = []
        for signal in signals:
            seen = 0 if signal.frames is None else len(signal.frames)
            given = [float(features["x"][0]) for features in signal.features.values()]
            rows.append({"x": np.array([len(signal.audio), seen, *[len(signal.text)] * bool(signal.text), *given])})
        return rows

    return Encoder(
        version=1,
        rate_hz=16000,
        modality=modality,
        layers={"x": (ANY,)},
        after=after,
        licence="MIT",
        source="test",
        build=lambda device: encode,
    )


@pytest.fixture
def calls(monkeypatch):
    made = {
        "sound": [],
        "sight": [],
        "both": [],
        "head": [],
        "sight_head": [],
        "words": [],
        "words_head": [],
        "all": [],
    }
    known = {
        "sound": encoder("audio", calls=made["sound"]),
        "sight": encoder("video", calls=made["sight"]),
        "both": encoder("pair", calls=made["both"]),
        "head": encoder("features", after=("sight", "sound"), calls=made["head"]),
        "sight_head": encoder("features", after=("sight",), calls=made["sight_head"]),
        "words": encoder("text", calls=made["words"]),
        "words_head": encoder("features", after=("words",), calls=made["words_head"]),
        "all": encoder("features", after=("words", "sight"), calls=made["all"]),
    }
    monkeypatch.setattr(registry, "load", lambda kind, name: known[name])
    return made


def material(looks, seconds=2.0):
    def decode_video():
        looks.append(1)
        return np.zeros((75, 4, 4, 3), dtype=np.uint8), np.arange(75) / 25

    sound = np.zeros(round(seconds * 8000), dtype=np.float32)
    return EncoderMaterial(
        duration_s=seconds,
        sounds={"generated": (sound, 8000), "reference": (sound + 0.5, 8000)},
        picture_sha256="p",
        decode_video=decode_video,
    )


def test_what_depends_on_the_picture_or_the_caption_alone(calls):
    assert {name for name in calls if depends_on(name) == "video"} == {"sight", "sight_head"}
    assert {name for name in calls if depends_on(name) == "text"} == {"words", "words_head"}
    assert job("sight_head", "generated") == ("sight_head", "video")
    assert job("head", "reference") == ("head", "reference")


def test_nothing_runs_before_what_it_needs(calls):
    order = in_order([("head", "generated"), ("head", "reference")])
    assert order.index(("sight", "video")) < order.index(("head", "generated"))
    assert order.index(("sound", "reference")) < order.index(("head", "reference"))
    assert len(order) == len(set(order)) == 5


def test_each_encoder_is_given_what_its_modality_says(calls):
    jobs = [("sound", "generated"), ("both", "reference"), ("head", "generated"), ("sight_head", "video")]
    found = Featuriser(jobs, "cpu", FeatureCache(None))([material([])])[0]
    assert found["sound", "generated"]["x"].tolist() == [32000, 0]
    assert found["both", "reference"]["x"].tolist() == [32000, 50]
    assert found["sight", "video"]["x"].tolist() == [0, 50]
    assert found["head", "generated"]["x"].tolist() == [0, 0, 0, 32000]
    assert found["sight_head", "video"]["x"].tolist() == [0, 0, 0]


def test_both_channels_are_given_at_the_rate_and_length_of_the_encoder_and_read_once(monkeypatch, tmp_path):
    given, reads = [], []

    def encode(signals):
        given.extend(signals)
        return [{"x": signal.sides.mean(axis=1)} for signal in signals]

    monkeypatch.setattr(
        registry,
        "load",
        lambda kind, name: dataclasses.replace(encoder("audio"), modality="sides", build=lambda device: encode),
    )

    def two(left):
        reads.append(left)
        return np.repeat(np.array([[left], [0.25]], dtype=np.float32), 16100, axis=1)  # longer than the clip

    clips = [
        dataclasses.replace(material([]), read_sides={"generated": lambda: two(0.5)}),
        dataclasses.replace(material([]), read_sides={"generated": lambda: None}),
        material([]),
    ]
    found = Featuriser([("two", "generated")], "cpu", FeatureCache(tmp_path))(clips)
    assert [signal.sides.shape for signal in given] == [(2, 32000)]
    assert given[0].sides[:, 1000:-1000] == pytest.approx(np.array([[0.5], [0.25]]) * np.ones((2, 30000)), abs=1e-3)
    assert len(given[0].audio) == 0
    assert [len(features) for features in found] == [1, 0, 0]
    assert reads == [0.5]
    other = dataclasses.replace(clips[0], read_sides={"generated": lambda: two(-0.5)})
    again = Featuriser([("two", "generated")], "cpu", FeatureCache(tmp_path))([other, clips[0]])
    assert len(given) == 2  # the other sides alone: those of before come from the cache
    assert again[0]["two", "generated"]["x"][0] < 0 < again[1]["two", "generated"]["x"][0]


def test_a_caption_is_read_and_a_clip_without_one_has_no_features_of_it(calls, tmp_path):
    jobs = [("words_head", "text"), ("sound", "generated"), ("all", "generated")]
    clips = [dataclasses.replace(material([]), caption=caption) for caption in ("bell", "", "wind")]
    cache = FeatureCache(tmp_path)
    found = Featuriser(jobs, "cpu", cache)(clips)
    assert found[0]["words", "text"]["x"].tolist() == [0, 0, 4]
    assert found[0].keys() == found[2].keys()
    assert found[1].keys() == {("sound", "generated"), ("sight", "video")}
    assert calls["words"] == calls["words_head"] == calls["all"] == [2]
    other = dataclasses.replace(clips[0], caption="bells")
    assert Featuriser(jobs, "cpu", cache)([other])[0]["words", "text"]["x"].tolist() == [0, 0, 5]


def test_the_picture_is_decoded_once_and_only_for_features_that_are_not_there(calls, tmp_path):
    looks = []
    jobs = [("sight", "video"), ("both", "generated"), ("both", "reference")]
    first = Featuriser(jobs, "cpu", FeatureCache(tmp_path))([material(looks)])
    assert len(looks) == 1
    again = Featuriser(jobs, "cpu", FeatureCache(tmp_path))([material(looks)])
    assert len(looks) == 1
    assert calls["both"] == [1, 1]
    np.testing.assert_array_equal(first[0]["both", "generated"]["x"], again[0]["both", "generated"]["x"])


def test_another_length_of_the_same_picture_is_another_feature(calls, tmp_path):
    jobs = [("sight", "video")]
    one = Featuriser(jobs, "cpu", FeatureCache(tmp_path))([material([])])[0]
    other = Featuriser(jobs, "cpu", FeatureCache(tmp_path))([material([], seconds=1.0)])[0]
    assert one["sight", "video"]["x"][1] == 50
    assert other["sight", "video"]["x"][1] == 25


def test_the_frontend_is_part_of_what_a_feature_is(calls, tmp_path):
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Doubled(featurise.Frontend):
        name: str = "doubled"

        def apply(self, audio, from_hz, to_hz):
            return np.repeat(super().apply(audio, from_hz, to_hz), 1)

    cache = FeatureCache(tmp_path)
    Featuriser([("sound", "generated")], "cpu", cache)([material([])])
    Featuriser([("sound", "generated")], "cpu", cache, Doubled())([material([])])
    assert calls["sound"] == [1, 1]


def test_an_encoder_may_keep_the_mean_that_others_lose(calls, tmp_path):
    frontend = featurise.Frontend(remove_mean=True, own={"both": featurise.Frontend()})
    assert frontend.of("both").name == "plain"
    assert frontend.of("sound").name == "remove_mean"
    heard = []
    known = registry.load("encoders", "sound")
    listener = dataclasses.replace(
        known, build=lambda device: lambda signals: [{"x": heard.append(s.audio) or np.zeros(1)} for s in signals]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load", lambda kind, name: listener)
        Featuriser([("both", "reference"), ("sound", "reference")], "cpu", FeatureCache(tmp_path), frontend)(
            [material([])]
        )
    assert heard[0].mean() == pytest.approx(0.5, abs=0.01)
    assert heard[1].mean() == pytest.approx(0.0, abs=0.01)


@pytest.fixture
def precisions(monkeypatch, tmp_path):
    """A network, arithmetic after it, and a detector; what each was called within, by name."""
    (tmp_path / "w").write_bytes(b"weights")
    seen = {"net": [], "after_net": [], "detector": []}

    def noting(name):
        def encode(signals):
            seen[name].append(torch.is_autocast_enabled("cpu"))
            product = torch.ones(1, 1) * 1.01 @ torch.ones(1, 1)
            return [{"x": product[0].float().numpy()} for _ in signals]

        return encode

    file = types.SimpleNamespace(path=tmp_path / "w")
    known = {
        "net": dataclasses.replace(encoder("audio"), build=lambda device: noting("net"), weights=file),
        "after_net": dataclasses.replace(encoder("features", after=("net",)), build=lambda device: noting("after_net")),
        "detector": dataclasses.replace(encoder("audio"), build=lambda device: noting("detector")),
    }
    monkeypatch.setattr(registry, "load", lambda kind, name: known[name])
    return seen


def test_drafts_are_cached_apart_with_all_that_builds_on_them(precisions, tmp_path):
    jobs = [("after_net", "generated"), ("detector", "generated")]
    cache = tmp_path / "cache"
    whole = Featuriser(jobs, "cpu", FeatureCache(cache))([material([])])[0]
    draft = Featuriser(jobs, "cpu", FeatureCache(cache), precision=DRAFT)([material([])])[0]
    assert precisions == {"net": [False, True], "after_net": [False, True], "detector": [False]}
    assert draft["net", "generated"]["x"] != whole["net", "generated"]["x"]
    for _ in range(2):
        assert Featuriser(jobs, "cpu", FeatureCache(cache))([material([])])[0] == whole
        assert Featuriser(jobs, "cpu", FeatureCache(cache), precision=DRAFT)([material([])])[0] == draft
    assert precisions == {"net": [False, True], "after_net": [False, True], "detector": [False]}
    names = {path.name.split(".")[0] + (".bf16" * (".bf16" in path.name)) for path in cache.iterdir()}
    assert names == {"net", "net.bf16", "after_net", "after_net.bf16", "detector"}


def test_the_key_of_a_draft_names_its_precision(precisions):
    asked = {}

    class Noted(FeatureCache):
        def get(self, encoder, keys):
            asked[encoder] = list(keys)
            return super().get(encoder, keys)

    for precision in (WHOLE, DRAFT):
        Featuriser([("net", "generated")], "cpu", Noted(None), precision=precision)([material([])])
    assert asked["net"] != asked["net.bf16"]


def test_float32_features_have_the_keys_that_they_always_had():
    card = encoder("audio")
    plain = feature_key("sound", card, audio="a")
    assert plain == hashlib.sha256(b"sound|1||a|plain|||").hexdigest()
    assert feature_key("sound", card, audio="a", precision=".bf16") != plain


def test_an_encoder_that_cannot_be_drafted_is_named(precisions, monkeypatch):
    def careless(signals):
        return [{"x": (torch.ones(1, 1) @ torch.ones(1, 1)).numpy()} for _ in signals]

    net = dataclasses.replace(registry.load("encoders", "net"), build=lambda device: careless)
    monkeypatch.setattr(registry, "load", lambda kind, name: net)
    with pytest.raises(FoleyError, match="encoder 'net' returns bfloat16 in a draft"):
        Featuriser([("net", "generated")], "cpu", FeatureCache(None), precision=DRAFT)([material([])])
