"""A cached feature is believed because of its key."""

from __future__ import annotations

import dataclasses
import re
import resource

import numpy as np
import pytest

from foleybench.api.encoder import Encoder
from foleybench.features.cache import FeatureCache, feature_key
from tests.damage import KINDS, damaged

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


def entry_path(folder):
    (path,) = folder.rglob("*.npz")
    return path


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", b"\x00" * 100, b"foleybench features 1\n"])
def test_a_broken_file_is_an_absent_one(tmp_path, damage):
    cache = FeatureCache(tmp_path)
    cache.put("ab12", {"x": np.array([1.0])})
    entry_path(tmp_path).write_bytes(damage)
    assert cache.get("ab12") is None
    cache.put("ab12", {"x": np.array([2.0])})
    assert cache.get("ab12")["x"].tolist() == [2.0]


def test_an_entry_of_before_there_were_checksums_is_absent_and_made_again(tmp_path):
    cache = FeatureCache(tmp_path)
    (tmp_path / "ab").mkdir()
    np.savez(tmp_path / "ab" / "12.npz", x=np.array([1.0]))
    assert cache.get("ab12") is None
    cache.put("ab12", {"x": np.array([1.0])})
    assert cache.get("ab12")["x"].tolist() == [1.0]
    assert len(list(tmp_path.rglob("*.npz"))) == 1


def test_an_entry_under_the_name_of_another_is_absent(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.put("ab12", {"x": np.array([1.0])})
    (tmp_path / "ab" / "34.npz").write_bytes(entry_path(tmp_path).read_bytes())
    assert cache.get("ab34") is None
    assert cache.get("ab12") is not None


@pytest.mark.parametrize("n", [50, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_damaged_entries_are_absent(tmp_path, kind, n):
    """With ``slow``: 10,000 damaged entries, of ten kinds."""
    draw = np.random.default_rng([n, KINDS.index(kind)])
    cache = FeatureCache(tmp_path)
    features = {"x": np.arange(12.0).reshape(3, 4), "one": np.array(0.5, dtype=np.float32), "none": np.zeros((0, 3))}
    cache.put("ab12", features)
    whole = entry_path(tmp_path).read_bytes()
    for _ in range(n):
        entry_path(tmp_path).write_bytes(damaged(whole, draw, kind))
        assert cache.get("ab12") is None
    entry_path(tmp_path).write_bytes(whole)
    found = cache.get("ab12")
    assert found.keys() == features.keys()
    for name, value in features.items():
        np.testing.assert_array_equal(found[name], value, strict=True)


def test_a_full_disk_switches_the_cache_off_and_is_told_once(tmp_path, capsys):
    cache = FeatureCache(tmp_path)
    cache.put("ab12", {"x": np.array([1.0])})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # what is larger does not fit
    try:
        cache.put("cd34", {"x": np.zeros(10_000)})
        cache.put("cd56", {"x": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.fullmatch(
        r"foleybench: the feature cache .* cannot be written \(file too large\): going on without it\n", said
    )
    assert cache.get("ab12") is not None  # what is there is still read
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["12.npz"]


def test_a_cache_that_is_a_file_is_told_and_not_used(tmp_path):
    (tmp_path / "cache").write_text("not a folder")
    told = []
    cache = FeatureCache(tmp_path / "cache", told.append)
    assert cache.get("ab12") is None
    cache.put("ab12", {"x": np.array([1.0])})
    assert len(told) == 1
    assert "not a directory" in told[0]


def test_no_folder_keeps_nothing():
    cache = FeatureCache(None)
    cache.put("ab12", {"x": np.array([1.0])})
    assert cache.get("ab12") is None
