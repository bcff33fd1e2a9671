"""The sound-text model and the flow on its vectors: losses by hand, training, and what never sees video."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foleybench.errors import FoleyError
from foleymodels._parts.settings import SIZES, of_size
from foleymodels._sound_text.flow import weights_key
from foleymodels._sound_text.network import SoundText
from foleymodels._sound_text.settings import SoundFlowSettings, SoundTextSettings
from foleymodels._sound_text.stage import clip_vectors
from foleymodels._training import decoded_data
from foleymodels._training.job import Job
from foleymodels.v2a_mapper.system import SYSTEM
from tests.foleymodels.small import train_system
from tests.foleymodels.systems.toy_system import trained_parts


def small_model(seed=0):
    torch.manual_seed(seed)
    settings = of_size(SoundTextSettings, "tiny")
    sound = dataclasses.replace(settings.sound, vector_dim=8, sound_dim=16)
    text = dataclasses.replace(settings.text, text_dim=16, text_words=8, text_heads=2, text_blocks=1)
    return SoundText(dataclasses.replace(settings, sound=sound, text=text))


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    """The parts up to the sound-text model."""
    return train_system(SYSTEM, corpus, tmp_path_factory.mktemp("sound") / "run", stage="sound_text")


def test_captions_that_repeat_share_their_target():
    """Three clips, the first two of one caption: their rows want half of each; by hand from the cosines."""
    model = small_model()
    with torch.no_grad():
        model.log_scale.fill_(math.log(2.0))
    sound = F.normalize(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), dim=-1)
    text = F.normalize(torch.tensor([[1.0, 0.2], [1.0, 0.2], [-1.0, 1.0]]), dim=-1)
    same = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    logits = (2.0 * sound @ text.T).double().numpy()

    def cross(rows):
        logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
        wanted = np.array([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]])
        return -(wanted * logs).sum(1).mean()

    assert float(model.contrast(sound, text, same).detach()) == pytest.approx(
        (cross(logits) + cross(logits.T)) / 2, rel=1e-6
    )


def test_vectors_are_unit_and_hear_what_is_in_the_sound():
    model = small_model()
    tokens = torch.randn(2, 9, 128, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model.hear(tokens).norm(dim=-1), torch.ones(2))
    assert not torch.allclose(*model.hear(tokens))
    model.text.learn_words(["click", "tone"])
    torch.testing.assert_close(model.read(["click", "tone", "other"]).norm(dim=-1), torch.ones(3))


def test_a_clip_vector_is_of_the_whole_sound(toy_data):
    model = small_model()
    vectors = clip_vectors(model, toy_data)
    assert vectors.shape == (8, 8)
    first, last = toy_data.token_offsets[3], toy_data.token_offsets[4]
    tokens = torch.from_numpy(toy_data.tokens[first:last].astype(np.float32))[None]
    with torch.no_grad():
        torch.testing.assert_close(vectors[3], model.hear(tokens)[0])


@pytest.mark.slow
def test_it_learns_which_sound_is_called_what(corpus, tmp_path):
    run = train_system(
        SYSTEM, corpus, tmp_path / "run", stage="sound_text", sound_steps="60", sound_rate="0.01", sound_batch="8"
    )
    model = SYSTEM.parts[0].rebuilt(*_checkpoint(run))
    data = decoded_data.training_data(corpus["val"], _cache())
    likeness = clip_vectors(model, data) @ model.read(["click", "tone"]).detach().T
    wanted = [("click", "tone").index(label) for label in data.labels]
    assert likeness.argmax(1).tolist() == wanted


def _cache():
    from tests.foleymodels.small import small_settings

    return decoded_data.cache_settings(small_settings().signal)


def _checkpoint(folder):
    from foleymodels._parts.checkpoint import read_checkpoint

    tensors, config = read_checkpoint(folder, "sound_text")
    return tensors, config["settings"], {}, folder


def test_words_are_those_of_the_training_captions(run):
    model = SYSTEM.parts[0].rebuilt(*_checkpoint(run))
    assert model.text.vocabulary()[:4] == ["", "", "click", "tone"]


def test_without_captions_there_is_no_sound_text_model(corpus, tmp_path, monkeypatch):
    start = Job.start

    def without(labels):
        def started(*arguments):
            job = start(*arguments)
            return dataclasses.replace(job, data=dataclasses.replace(job.data, labels=labels))

        return started

    for labels, said in ((("",) * 8, "has 0 captions"), (("a",) * 8, "has 1 captions")):
        monkeypatch.setattr(Job, "start", without(labels))
        with pytest.raises(FoleyError, match=said):
            train_system(SYSTEM, corpus, tmp_path / labels[0], stage="sound_text")
    monkeypatch.setattr(Job, "start", without(("a", "b", *[""] * 6)))  # the others are left out
    assert train_system(SYSTEM, corpus, tmp_path / "two", stage="sound_text").is_dir()


@pytest.mark.slow
def test_neither_model_nor_flow_ever_sees_video(corpus, run, tmp_path, monkeypatch):
    """With noise in place of every frame, the weights of both are the same to the last bit."""
    kept = train_system(SYSTEM, corpus, tmp_path / "true", sound_text=str(run))
    true = trained_parts(kept)
    start = Job.start

    def blinded(*arguments):
        job = start(*arguments)
        noise = np.random.default_rng(0).integers(0, 256, job.data.frames.shape, dtype=np.uint8)
        return dataclasses.replace(job, data=dataclasses.replace(job.data, frames=noise))

    monkeypatch.setattr(Job, "start", blinded)
    found = trained_parts(train_system(SYSTEM, corpus, tmp_path / "blind"))
    assert found["sound_text"] == true["sound_text"]
    assert found["flow"] == true["flow"]
    assert found["alignment"] != true["alignment"]
    assert found["mapper"] != true["mapper"]


@pytest.mark.slow
def test_a_flow_of_another_models_vectors_is_refused(corpus, run, tmp_path):
    first = train_system(SYSTEM, corpus, tmp_path / "first", sound_text=str(run))
    shared = {"flow": str(first / "flow"), "alignment": str(first / "alignment")}
    with pytest.raises(FoleyError, match="--set sound_text=RUN/sound_text"):
        train_system(SYSTEM, corpus, tmp_path / "other", sound_steps="3", **shared)
    second = train_system(SYSTEM, corpus, tmp_path / "both", sound_text=str(run), mapper="regression", **shared)
    assert trained_parts(second)["flow"] == trained_parts(first)["flow"]


def test_a_key_follows_every_weight():
    one, other = small_model(), small_model()
    assert torch.equal(weights_key(one), weights_key(other))
    with torch.no_grad():
        other.leave.bias[0] += 1e-3
    assert not torch.equal(weights_key(one), weights_key(other))


@pytest.mark.parametrize("size", SIZES)
def test_crops_fit_in_the_shortest_clip(size):
    settings = of_size(SoundFlowSettings, size)
    assert settings.sound.sound_crop_s <= settings.signal.window_s
