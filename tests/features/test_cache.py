"""A cached feature is believed because of its key."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foleybench.api.encoder import Encoder
from foleybench.features.cache import FeatureCache, feature_key

ENCODER = Encoder(
    version=1, rate_hz=16000, layers={"x": (0,)}, licence="MIT", source="test", build=lambda device: lambda signals: []
)
AUDIO = np.arange(8, dtype=np.float32)


def test_key_changes_with_everything_that_decides_the_feature():
    sound = (AUDIO, 16000)
    keys = [
        feature_key("e", ENCODER, sound=sound),
        feature_key("f", ENCODER, sound=sound),
        feature_key("e", dataclasses.replace(ENCODER, version=2), sound=sound),
        feature_key("e", ENCODER, sound=(AUDIO + 1, 16000)),
        feature_key("e", ENCODER, sound=(AUDIO, 8000)),
        feature_key("e", ENCODER, sound=(AUDIO[:-1], 16000)),
        feature_key("e", ENCODER, sound=None),
        feature_key("e", ENCODER, sound=sound, picture="picture"),
        feature_key("e", ENCODER, sound=sound, frontend="other"),
        feature_key("e", ENCODER, sound=sound, earlier=["ab"]),
        feature_key("e", ENCODER, sound=sound, earlier=["ab", "cd"]),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == feature_key("e", ENCODER, sound=(AUDIO.copy(), 16000))


def test_round_trip_and_counts(tmp_path):
    cache = FeatureCache(tmp_path)
    assert cache.get("ab12") is None
    cache.put("ab12", {"x": np.array([1.0, 2.0])})
    assert cache.get("ab12")["x"].tolist() == [1.0, 2.0]
    assert (cache.hits, cache.misses) == (1, 1)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", b"\x00" * 100])
def test_a_broken_file_is_an_absent_one(tmp_path, damage):
    cache = FeatureCache(tmp_path)
    cache.put("ab12", {"x": np.array([1.0])})
    (tmp_path / "ab" / "12.npz").write_bytes(damage)
    assert cache.get("ab12") is None


def test_no_folder_keeps_nothing():
    cache = FeatureCache(None)
    cache.put("ab12", {"x": np.array([1.0])})
    assert cache.get("ab12") is None
