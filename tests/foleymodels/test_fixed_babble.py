"""Fixed babble: what is mixed, how loud it is, and that no video changes it."""

import dataclasses

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.model import BuildContext, TrainContext
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.generation.folder import generate_one
from foleybench.shards.dataset import ShardDataset
from foleymodels._babble.mixture import at_level, loudness, mix, played, spread_over, typical_loudness
from foleymodels._babble.settings import MixtureSettings
from foleymodels._parts.checkpoint import read_checkpoint
from foleymodels._parts.training_audio import load_audio
from tests.foleymodels.toy import toy_corpus

NAMES = ("fixed_babble", "motion_babble")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("babble")
    return {split: toy_corpus(folder, split, n) for split, n in (("train", 12), ("test", 3))}


def trained(name, shards, out, settings=None, seed=0):
    model = registry.load("models", name)
    context = TrainContext(data=shards["train"], val=None, out=out, seed=seed, settings=settings or {})
    return model, model.train(context)


class Sounds:
    """Clips with given audio at 1,000 Hz, in the place of a data set."""

    path = "train.manifest.jsonl"

    def __init__(self, clips, *audio):
        self._clips = {
            f"c{k}": dataclasses.replace(clips, clip_id=f"c{k}", audio=np.asarray(one, dtype=np.float32), rate_hz=1000)
            for k, one in enumerate(audio)
        }
        self.clip_ids = list(self._clips)

    def __len__(self):
        return len(self._clips)

    def require_clips(self):
        pass

    def load(self, clip_id, *, video=True):
        return self._clips[clip_id]


@pytest.fixture
def sounds(shards):
    data = ShardDataset(shards["test"])
    clip = data.load(data.clip_ids[0])
    return lambda *audio: Sounds(clip, *audio)


def test_places_are_one_of_every_stretch():
    for seed in range(20):
        places = spread_over(100, 40, seed)
        assert len(places) == 40
        for k, place in enumerate(places):
            assert k * 100 // 40 <= place < (k + 1) * 100 // 40
    assert spread_over(5, 40, 3) == [0, 1, 2, 3, 4]
    assert spread_over(3024, 40, 1) != spread_over(3024, 40, 2)


def test_places_meet_every_class_of_a_corpus_that_repeats_them_in_turn():
    """Equal steps can meet one class alone: 54 clips are twice the 27 classes."""
    assert len({place % 27 for place in range(0, 2700, 54)}) == 1
    assert len({place % 27 for place in spread_over(2700, 50, 0)}) > 15


def test_every_clip_is_in_the_sum_at_the_same_loudness(sounds):
    quiet, loud = np.array([0.01, -0.01, 0.01, -0.01]), np.array([0.5, 0.5, -0.5, -0.5])
    found = mix(sounds(quiet, loud), MixtureSettings(), 1000, 0)
    # 1 + 1, -1 + 1, 1 - 1, -1 - 1, over their root mean square.
    np.testing.assert_allclose(found.audio, np.array([2, 0, 0, -2]) / np.sqrt(2), atol=1e-6)
    assert found.clip_ids == ("c0", "c1")


def test_a_shorter_clip_is_repeated_and_a_silent_one_left_out(sounds):
    found = mix(sounds([0.1, -0.1], [0.0] * 6, [0.2, 0.2, 0.2, 0.2]), MixtureSettings(), 1000, 0)
    np.testing.assert_allclose(found.audio, np.array([2, 0, 2, 0]) / np.sqrt(2), atol=1e-6)
    assert found.clip_ids == ("c0", "c2")
    with pytest.raises(FoleyError, match=r"the 2 training clips taken from .* are silent"):
        mix(sounds([0.0] * 4, [1e-5] * 4), MixtureSettings(), 1000, 0)
    broken = sounds([0.1])
    broken._clips["c0"] = dataclasses.replace(broken._clips["c0"], audio=None)
    with pytest.raises(FoleyError, match="has lost its audio"):
        mix(broken, MixtureSettings(), 1000, 0)


def test_loudness_is_the_median_of_what_can_be_heard():
    assert loudness(np.array([3.0, -4.0])) == pytest.approx(np.sqrt(12.5))
    assert loudness(np.zeros(0)) == 0.0
    assert typical_loudness([0.0, 0.0, 0.0, 0.1, 0.3, 0.2]) == pytest.approx(0.2)
    assert typical_loudness([0.0]) == 0.0
    np.testing.assert_allclose(at_level(np.array([1.0, -2.0]), 0.25), [0.25, -0.5])
    np.testing.assert_allclose(at_level(np.array([1.0, -2.0]), 0.9), [0.5, -1.0])  # else beyond full scale
    assert not at_level(np.zeros(3, dtype=np.float32), 0.5).any()


def test_the_mixture_is_cut_or_repeated():
    audio = np.arange(4, dtype=np.float32)
    assert played(audio, 3).tolist() == [0, 1, 2]
    assert played(audio, 10).tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]


def test_every_video_has_the_same_audio_of_the_loudness_of_the_training_clips(shards, tmp_path):
    model, run = trained("fixed_babble", shards, tmp_path / "run")
    generator, data = model.build(BuildContext(checkpoint=run)), ShardDataset(shards["test"])
    made = [generate_one(model, generator, data.load(clip_id), seed) for seed, clip_id in enumerate(data.clip_ids)]
    assert all(np.array_equal(one, made[0]) for one in made[1:])
    train = ShardDataset(shards["train"])
    wanted = np.median([loudness(load_audio(train, clip_id, 16000)) for clip_id in train.clip_ids])
    assert loudness(made[0]) == pytest.approx(wanted, rel=1e-3)
    longer = generate_one(model, generator, dataclasses.replace(data.load(data.clip_ids[0]), duration_s=3.3), 0)
    assert longer.shape == (52800,)
    assert np.array_equal(longer[20480:40960], made[0])


@pytest.mark.parametrize("name", NAMES)
def test_training_again_gives_the_same_bytes_and_another_seed_another_mixture(name, shards, tmp_path):
    few = {"n_mixed": "3", "n_measured": "4"}
    _, run = trained(name, shards, tmp_path / "run", few)
    _, again = trained(name, shards, tmp_path / "again", few)
    for file in ("model.safetensors", "config.json"):
        assert (again / file).read_bytes() == (run / file).read_bytes()
    _, other = trained(name, shards, tmp_path / "other", few, seed=1)
    tensors, config = read_checkpoint(run, name)
    others, other_config = read_checkpoint(other, name)
    assert len(config["clip_ids"]) == 3
    assert config["clip_ids"] != other_config["clip_ids"]
    assert not np.array_equal(tensors["audio"].numpy(), others["audio"].numpy())


@pytest.mark.parametrize("name", NAMES)
def test_a_finished_run_is_kept_and_one_of_another_seed_refused(name, shards, tmp_path):
    _, run = trained(name, shards, tmp_path / "run", {"n_measured": "2"})
    before = (run / "config.json").stat().st_mtime_ns
    trained(name, shards, tmp_path / "run", {"n_measured": "2"})
    assert (run / "config.json").stat().st_mtime_ns == before
    with pytest.raises(FoleyError, match="another seed"):
        trained(name, shards, tmp_path / "run", {"n_measured": "2"}, seed=1)


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_trained_or_built_is_refused(name, tmp_path):
    model = registry.load("models", name)
    with pytest.raises(FoleyError, match="--checkpoint"):
        model.build(BuildContext())
    context = TrainContext(data=tmp_path, val=None, out=tmp_path / "run", settings={"n_mixed": "0"})
    with pytest.raises(UnknownNameError, match="n_mixed=0 leaves no training clip"):
        model.check(context)
