import dataclasses

import numpy as np
import pytest
import torch

from foleybench.errors import FoleyError
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.mel import Mel, MelSettings
from foleymodels._training.decoded_data import CacheSettings, cache_key, training_data
from tests.foleymodels.toy import toy_corpus

SETTINGS = CacheSettings(mel=MelSettings(), grid_hz=25.0, cells=8, shortest_s=0.64)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return toy_corpus(tmp_path_factory.mktemp("toy"), "train", 5)


def test_clips_lie_end_to_end(manifest):
    data = training_data(manifest, SETTINGS)
    assert len(data) == 5
    assert data.frames.shape == (5 * 32, 8, 8, 6)
    assert data.tokens.shape == (5 * 40, 128)
    clip = ShardDataset(manifest).load(data.clip_ids[3])
    wanted = Mel(SETTINGS.mel).tokens(torch.from_numpy(clip.audio)[None])[0]
    torch.testing.assert_close(torch.from_numpy(data.tokens[120:160].copy()).float(), wanted, atol=2e-3, rtol=0)


def test_number_of_threads_changes_nothing(manifest, tmp_path):
    one = training_data(manifest, SETTINGS, folder=tmp_path / "one", jobs=1)
    three = training_data(manifest, SETTINGS, folder=tmp_path / "three", jobs=3)
    for name in ("frames.npy", "tokens.npy", "meta.json"):
        assert (one.folder / name).read_bytes() == (three.folder / name).read_bytes()


def test_the_cache_is_used_again_and_other_settings_get_another(manifest):
    first = training_data(manifest, SETTINGS)
    before = (first.folder / "meta.json").stat().st_mtime_ns
    assert training_data(manifest, SETTINGS).folder == first.folder
    assert (first.folder / "meta.json").stat().st_mtime_ns == before
    assert training_data(manifest, dataclasses.replace(SETTINGS, cells=16)).folder != first.folder
    assert not list(first.folder.parent.glob(".*.tmp"))


def test_data_that_this_version_decoded_is_found():
    """Keys change with the version of the data, not where settings are renamed."""
    settings = CacheSettings(mel=MelSettings(), grid_hz=25.0, cells=16, shortest_s=4.0)
    assert cache_key("0" * 64, settings) == "279b290a700c52e3"
    large = dataclasses.replace(settings, video="mae_b16", audio="audiomae")
    assert cache_key("0" * 64, large) == "5222d8cc138fb89a"
    assert cache_key("1" * 64, settings) != cache_key("0" * 64, settings)


def test_crops_of_frames_and_tokens_start_together(manifest):
    data = training_data(manifest, SETTINGS)
    assert SETTINGS.unit == (4, 5)  # 160 ms
    indices = torch.tensor([2, 4])
    starts = np.array([0, 3])
    frames, tokens = data.crop_frames(indices, starts, 8), data.crop_tokens(indices, starts, 10)
    assert torch.equal(frames[1], torch.from_numpy(data.frames[4 * 32 + 12 : 4 * 32 + 20].copy()))
    assert torch.equal(tokens[1], torch.from_numpy(data.tokens[4 * 40 + 15 : 4 * 40 + 25].copy()).float())


def test_crops_never_leave_their_clip(manifest):
    data = training_data(manifest, SETTINGS)
    generator = torch.Generator().manual_seed(0)
    starts = np.concatenate([data.starts(torch.arange(5), 20, generator) for _ in range(50)])
    assert starts.min() == 0
    assert starts.max() == 4  # 4 * 5 + 20 tokens = 40, the whole clip
    assert (data.starts(torch.arange(5), 40, generator) == 0).all()


def test_short_clips_are_completed_with_silence(manifest):
    data = training_data(manifest, dataclasses.replace(SETTINGS, shortest_s=1.6))
    assert np.diff(data.token_offsets).tolist() == [50] * 5
    assert np.diff(data.frame_offsets).tolist() == [40] * 5
    silence = (np.log10(SETTINGS.mel.floor) - SETTINGS.mel.mean) / SETTINGS.mel.scale
    assert np.allclose(data.tokens[40:50], silence, atol=1e-3)
    assert np.array_equal(data.frames[39], data.frames[31])


def test_an_empty_split_and_a_bad_folder_are_named(tmp_path):
    with pytest.raises(FoleyError, match="no usable clip"):
        training_data(toy_corpus(tmp_path / "empty", "train", 0), SETTINGS)
    blocked = tmp_path / "file"
    blocked.write_text("")
    manifest = toy_corpus(tmp_path / "one", "train", 1)
    with pytest.raises(FoleyError, match="--set cache=DIR"):
        training_data(manifest, SETTINGS, folder=blocked)


def test_features_of_large_encoders_stand_in_for_maps_and_targets(manifest, monkeypatch, tmp_path):
    """What is kept is what the encoders said, at the model's times, completed to the shortest length."""
    from foleymodels._parts import frozen_encoders

    def encode(signals):
        (signal,) = signals
        if signal.frames is None:
            n = round(signal.duration_s * 6.25)
            return [{"tokens": np.arange(n, dtype=np.float32)[:, None] * np.float32([[1.0, 3.0]])}]
        n = round(signal.duration_s * 8)
        return [{"frames": np.arange(n, dtype=np.float32)[:, None].repeat(4, 1)}]

    asked = set()
    monkeypatch.setattr(frozen_encoders, "_encoder", lambda *wanted: asked.add(wanted) or encode)
    wanted = dataclasses.replace(SETTINGS, grid_hz=8.0, shortest_s=2.0, video="mae_b16", audio="audiomae")
    data = training_data(manifest, wanted, folder=tmp_path, device="cuda:7")
    assert asked == {("mae_b16", "published", "cuda:7"), ("audiomae", "published", "cuda:7")}
    assert data.frames.shape == (5 * 16, 4)
    assert data.targets.shape == (5 * len(data.tokens) // 5, 2)
    first = np.asarray(data.frames[:16, 0])
    assert first[:10].tolist() == pytest.approx([min(9, int((i + 0.5) / 11 * 10)) for i in range(10)])
    assert (first[11:] == first[10]).all()
    crop = data.crop_targets(torch.tensor([1, 3]), np.zeros(2, dtype=np.int64), 5)
    assert crop.shape == (2, 5, 2)
    torch.testing.assert_close(crop[:, 4], torch.tensor([[-1.0, 1.0]] * 2), atol=1e-2, rtol=0)
    plain = training_data(manifest, SETTINGS, folder=tmp_path)
    assert plain.crop_targets(torch.tensor([0]), np.zeros(1, dtype=np.int64), 5) is None
