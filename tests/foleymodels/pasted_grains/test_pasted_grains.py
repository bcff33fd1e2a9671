"""Pasted grains: exact parts, and a toy corpus on which a linear map must do well."""

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext, Model, TrainContext
from foleybench.errors import FoleyError
from foleybench.generation.folder import generate_one
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.onsets import f_score, find_onsets
from foleymodels.pasted_grains.features import REACH, clip_features, frame_features
from foleymodels.pasted_grains.generate import pasted
from foleymodels.pasted_grains.level import QUIETEST, log_level, shaped
from foleymodels.pasted_grains.score_peaks import onset_targets, peaks
from tests.foleymodels.toy import toy_corpus

RATE_HZ = 16000


def hits(times_s, decay_s=0.05, duration_s=2.0, gains=None):
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    sound = np.zeros(len(t))
    for k, time_s in enumerate(times_s):
        since = t - time_s
        ring = np.exp(-np.maximum(since, 0) / decay_s) * np.sin(2 * np.pi * 700 * since)
        sound += (1.0 if gains is None else gains[k]) * np.where(since >= 0, ring, 0.0)
    return (0.3 * sound).astype(np.float32)


def test_onsets_are_found_where_energy_jumps():
    times = [0.31, 0.52, 1.2, 1.7]
    found = find_onsets(hits(times, gains=[1.0, 0.5, 0.15, 1.0]), RATE_HZ)
    np.testing.assert_allclose(found, times, atol=0.004)
    assert len(find_onsets(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ)) == 0
    steady = np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    assert len(find_onsets(steady, RATE_HZ)) <= 1
    assert len(find_onsets(steady[:100], RATE_HZ)) == 0


def test_targets_and_peaks_are_inverse():
    times = np.asarray([0.233, 0.9, 1.5])
    target = onset_targets(times, 50, 25.0)
    assert target.shape == (50, 1)
    np.testing.assert_allclose(peaks(target[:, 0], 0.3, 25.0), times, atol=0.012)
    assert len(peaks(torch.zeros(50), 0.3, 25.0)) == 0
    assert onset_targets(np.zeros(0), 10, 25.0).sum() == 0.0
    two = torch.tensor([0.0, 0.9, 0.8, 0.0, 0.0, 0.0, 0.7, 0.0])
    assert len(peaks(two, 0.3, 25.0)) == 2


def test_f_score_matches_each_time_once():
    one = np.asarray([1.0])
    assert f_score([np.asarray([0.99, 1.01])], [one], 0.025) == pytest.approx(2 / 3)
    assert f_score([one], [one + 0.03], 0.025) == 0.0
    assert np.isnan(f_score([np.zeros(0)], [np.zeros(0)], 0.025))


def test_a_grain_starts_at_the_asked_time_and_ends_before_the_next():
    donor = hits([0.5, 1.5])
    out = pasted(donor, np.asarray([0.5, 1.5]), np.asarray([0.2, 1.0]), 24000, RATE_HZ, np.random.default_rng(0))
    np.testing.assert_allclose(find_onsets(out, RATE_HZ), [0.2, 1.0], atol=0.004)
    copied = out[round(0.21 * RATE_HZ) : round(0.3 * RATE_HZ)]
    source = donor[round(0.51 * RATE_HZ) : round(0.6 * RATE_HZ)]
    np.testing.assert_allclose(copied, source, atol=1e-6)
    late = pasted(donor, np.asarray([0.5]), np.asarray([1.49, 9.0]), 24000, RATE_HZ, np.random.default_rng(0))
    assert len(late) == 24000


def test_a_texture_takes_the_level_that_is_asked_for():
    rng = np.random.default_rng(0)
    noise = (0.2 * rng.standard_normal(32000)).astype(np.float32)
    wanted = np.full(50, QUIETEST)
    wanted[20:30] = 0.0
    out = shaped(noise, wanted, 32000)
    level = log_level(out, 50)
    assert level[22:28].min() > -0.5
    assert level[:15].max() < -3.0
    assert np.abs(out).max() == pytest.approx(np.abs(noise).max(), rel=1e-5)
    assert shaped(np.zeros(32000, dtype=np.float32), wanted, 100).shape == (100,)


def test_features_have_the_stated_shapes_and_see_the_frames_around():
    maps = torch.zeros(20, 16, 16, 6, dtype=torch.uint8)
    maps[..., 3] = 128
    maps[10, 4, 4, 5] = 200
    rows = frame_features(maps)
    assert rows.shape == (20, (3 * 64 + 18) * (2 * REACH + 1))
    assert clip_features(maps).shape == (202,)
    differs = (rows != rows[0]).any(1)
    assert differs[10 - REACH : 10 + REACH + 1].all()
    assert not differs[: 10 - REACH].any()
    assert torch.isfinite(clip_features(maps[:1])).all()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grains")
    data, val = toy_corpus(folder / "shards", "train", 24), toy_corpus(folder / "shards", "val", 8, seed=1)
    model: Model = registry.load("models", "pasted_grains")
    assert model.train is not None
    checkpoint = model.train(TrainContext(data=data, val=val, out=folder / "run"))
    return model, checkpoint, data, val


@pytest.mark.slow
def test_it_puts_the_right_sound_at_the_right_time(trained):
    model, checkpoint, _, val = trained
    generator = model.build(BuildContext(checkpoint=checkpoint))
    dataset = ShardDataset(val)
    hit = total = right = 0
    for clip_id in dataset.clip_ids:
        clip = dataset.load(clip_id)
        audio = generate_one(model, generator, clip, seed=0)
        assert audio.shape == clip.audio.shape
        found = find_onsets(audio, RATE_HZ)
        wanted = clip.onset_times_s()
        hit += sum(np.abs(found - time_s).min(initial=9.0) <= 0.03 for time_s in wanted)
        total += len(wanted)
        spectrum = np.abs(np.fft.rfft(audio)) ** 2
        tonal = (
            spectrum[round(430 * len(audio) / RATE_HZ) : round(450 * len(audio) / RATE_HZ)].sum() / spectrum.sum() > 0.2
        )
        right += tonal == (clip.label == "tone")
    assert hit / total > 0.8
    assert right == len(dataset.clip_ids)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_order_does_not_matter(trained):
    model, checkpoint, _, val = trained
    dataset = ShardDataset(val)
    first, second = (model.build(BuildContext(checkpoint=checkpoint)) for _ in range(2))
    clips = [dataset.load(clip_id) for clip_id in dataset.clip_ids[:3]]
    forward = [generate_one(model, first, clip, seed=3).tobytes() for clip in clips]
    backward = [generate_one(model, second, clip, seed=3).tobytes() for clip in clips[::-1]]
    assert forward == backward[::-1]


@pytest.mark.slow
def test_training_again_gives_the_same_checkpoint(trained, tmp_path):
    model, checkpoint, data, val = trained
    again = model.train(TrainContext(data=data, val=val, out=tmp_path / "again"))
    for name in ("model.safetensors", "config.json"):
        assert (again / name).read_bytes() == (checkpoint / name).read_bytes()


def test_without_a_checkpoint_it_says_what_to_do():
    with pytest.raises(FoleyError, match="--checkpoint"):
        registry.load("models", "pasted_grains").build(BuildContext())


def test_changed_training_data_is_noticed(tmp_path):
    model = registry.load("models", "pasted_grains")
    data = toy_corpus(tmp_path / "shards", "train", 8)
    checkpoint = model.train(TrainContext(data=data, val=None, out=tmp_path / "run"))
    toy_corpus(tmp_path / "shards", "train", 8, seed=5)
    with pytest.raises(FoleyError, match="Train it again"):
        model.build(BuildContext(checkpoint=checkpoint))
