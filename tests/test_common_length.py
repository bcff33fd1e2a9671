"""``benchmarks/common_length.py``: real sound is cut where an output does not cover it; such results are refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from foleybench.media.audio import read_sound, write_wav

HOME = Path(__file__).parents[1]
RATES_HZ = {"gt": 16000, "whole": 22050, "short": 8000}


@pytest.fixture(scope="module")
def lengths():
    spec = importlib.util.spec_from_file_location("common_length", HOME / "benchmarks" / "common_length.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lay(home, seconds):
    """Write sounds of given lengths, (name, clip) -> seconds, and link them as ``lay_out`` does."""
    for (name, clip), length_s in seconds.items():
        rate_hz = RATES_HZ[name]
        published = home / "published" / f"{clip}_{name}.wav"
        published.parent.mkdir(parents=True, exist_ok=True)
        write_wav(published, np.linspace(-0.5, 0.5, round(length_s * rate_hz), dtype=np.float32), rate_hz)
        at = home / ("gt" if name == "gt" else f"audio/{name}") / f"{clip}.wav"
        at.parent.mkdir(parents=True, exist_ok=True)
        at.symlink_to(published)


def test_real_sound_is_cut_to_the_shortest_output_that_does_not_cover_it(lengths, tmp_path):
    lay(tmp_path, {("gt", "a"): 4.0, ("whole", "a"): 4.5, ("short", "a"): 3.2})
    lay(tmp_path, {("gt", "b"): 4.0, ("whole", "b"): 3.9, ("short", "b"): 3.81})
    assert lengths.cut_to_common_length(tmp_path) == {"a": 4.0}
    assert lengths.cut_clips(tmp_path) == {"a": 4.0}
    before, rate_hz = read_sound(tmp_path / "published" / "a_gt.wav")
    after, _ = read_sound(tmp_path / "gt" / "a.wav")
    assert len(after) == 3.2 * rate_hz
    assert np.array_equal(after, before[: len(after)])
    assert (tmp_path / "gt" / "b.wav").is_symlink()
    assert len(before) == 4.0 * rate_hz, "the published file stays as it is"


def test_a_folder_that_was_not_cut_has_no_cut_clips(lengths, tmp_path):
    assert lengths.cut_clips(tmp_path) == {}


def test_a_result_with_an_output_that_does_not_cover_its_clip_is_refused(lengths):
    result = {"dataset": {"name": "home"}, "model": {"name": "mine"}, "problems": []}
    lengths.require_whole(result)
    result["problems"] = [{"clip_id": "a", "kind": "short", "detail": "3.9 s"}]
    lengths.require_whole(result)
    result["problems"].append({"clip_id": "b", "kind": "too_short", "detail": "3.2 s of audio for a clip of 4 s"})
    with pytest.raises(SystemExit, match=r"home/mine has outputs below 95 % of their clips: b \(3.2 s of audio"):
        lengths.require_whole(result)
