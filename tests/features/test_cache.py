"""A cached feature is believed because of its key."""

from __future__ import annotations

import dataclasses
import resource

import numpy as np

from foleybench.api.encoder import Encoder
from foleybench.features.cache import FeatureCache, audio_key, feature_key

ENCODER = Encoder(
    version=1, rate_hz=16000, layers={"x": (0,)}, licence="MIT", source="test", build=lambda device: lambda signals: []
)
AUDIO = np.arange(8, dtype=np.float32)


def test_key_changes_with_everything_that_decides_the_feature():
    audio = audio_key(AUDIO, 16000)
    keys = [
        feature_key("e", ENCODER, audio=audio),
        feature_key("f", ENCODER, audio=audio),
        feature_key("e", dataclasses.replace(ENCODER, version=2), audio=audio),
        feature_key("e", ENCODER, audio=audio_key(AUDIO + 1, 16000)),
        feature_key("e", ENCODER, audio=audio_key(AUDIO, 8000)),
        feature_key("e", ENCODER, audio=audio_key(AUDIO[:-1], 16000)),
        feature_key("e", ENCODER, audio=audio_key(np.append(AUDIO[:-1], np.float32(0)), 16000)),
        feature_key("e", ENCODER),
        feature_key("e", ENCODER, audio=audio, video="video"),
        feature_key("e", ENCODER, audio=audio, caption="caption"),
        feature_key("e", ENCODER, audio=audio, frontend="other"),
        feature_key("e", ENCODER, audio=audio, earlier=["ab"]),
        feature_key("e", ENCODER, audio=audio, earlier=["ab", "cd"]),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == feature_key("e", ENCODER, audio=audio_key(AUDIO.copy(), 16000))
    assert audio_key(np.arange(16, dtype=np.float32)[::2], 1) == audio_key(np.arange(0, 16, 2, dtype=np.float32), 1)


def test_round_trip_and_counts(tmp_path):
    cache = FeatureCache(tmp_path)
    assert cache.get("e", ["ab12"]) == {}
    cache.put("e", {"ab12": {"x": np.array([1.0, 2.0])}})
    assert cache.get("e", ["ab12", "cd"])["ab12"]["x"].tolist() == [1.0, 2.0]
    assert cache.get("other", ["ab12"]) == {}
    assert (cache.hits, cache.misses) == (1, 3)


def test_an_encoder_from_a_file_has_a_store_in_the_folder(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.put("../mine.py:ENCODER", {"ab12": {"x": np.array([1.0])}})
    assert [path.name for path in tmp_path.iterdir()] == [".._mine.py_ENCODER.sqlite"]
    assert "ab12" in cache.get("../mine.py:ENCODER", ["ab12"])


def test_files_of_the_older_layout_are_named_and_not_read(tmp_path):
    (tmp_path / "ab").mkdir()
    np.savez(tmp_path / "ab" / "12.npz", x=np.array([1.0]))
    told = []
    cache = FeatureCache(tmp_path, told.append)
    assert cache.get("e", ["ab12"]) == {}
    assert cache.get("f", ["ab12"]) == {}
    assert len(told) == 1
    assert "older layout" in told[0]


def test_a_full_disk_switches_the_cache_off_and_is_told_once(tmp_path, capsys):
    cache = FeatureCache(tmp_path)
    cache.put("e", {"ab12": {"x": np.array([1.0])}})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # what is larger does not fit
    try:
        cache.put("e", {"cd34": {"x": np.zeros(10_000)}})
        cache.put("e", {"cd56": {"x": np.zeros(10_000)}})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"foleybench: the feature cache {tmp_path} cannot be written (")
    assert said.endswith("): going on without the cache\n")
    assert cache.get("e", ["ab12", "cd34"]).keys() == {"ab12"}  # what is there is still read
    assert [path.name for path in tmp_path.iterdir()] == ["e.sqlite"]


def test_a_cache_that_is_a_file_is_told_and_not_used(tmp_path):
    (tmp_path / "cache").write_text("not a folder")
    told = []
    cache = FeatureCache(tmp_path / "cache", told.append)
    assert cache.get("e", ["ab12"]) == {}
    cache.put("e", {"ab12": {"x": np.array([1.0])}})
    assert len(told) == 1
    assert "exists" in told[0]


def test_no_folder_keeps_nothing():
    cache = FeatureCache(None)
    cache.put("e", {"ab12": {"x": np.array([1.0])}})
    assert cache.get("e", ["ab12"]) == {}
