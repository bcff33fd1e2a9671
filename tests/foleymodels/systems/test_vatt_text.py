"""VATT's words: guessed captions, true ones as an oracle row, and what padding and dropping do."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext
from foleybench.errors import FoleyError
from foleybench.generation.folder import generate_one
from foleybench.shards.dataset import ShardDataset
from foleymodels.vatt.captions import CaptionGuess
from foleymodels.vatt.system import SYSTEM, WITH_TRUE_CAPTIONS, with_words
from tests.foleymodels.small import train_system

SMALL_TEXT = {"text_dim": "16", "text_blocks": "1", "text_heads": "2", "text_words": "16", "decoder_blocks": "1",
              "caption_steps": "75", "caption_dim": "16", "caption_rate": "2e-2"}  # fmt: skip


@pytest.fixture(scope="module")
def guessing(corpus, tmp_path_factory):
    return train_system(SYSTEM, corpus, tmp_path_factory.mktemp("vatt") / "run", text="predicted", **SMALL_TEXT)


@pytest.fixture(scope="module")
def told(corpus, guessing, tmp_path_factory):
    shared = {part: str(guessing / part) for part in ("alignment", "codec")}
    return train_system(WITH_TRUE_CAPTIONS, corpus, tmp_path_factory.mktemp("vatt") / "told", **SMALL_TEXT, **shared)


def random_network(folder, system=SYSTEM):
    network = system.load(folder)[1]["generator"]
    generator = torch.Generator().manual_seed(0)
    for value in network.parameters():
        value.data.copy_(torch.randn(value.shape, generator=generator) * 0.3)
    return network


def some_input(batch=2, n=20):
    generator = torch.Generator().manual_seed(3)
    codes = torch.randint(0, 17, (batch, n, 2), generator=generator)
    return codes, torch.randn(batch, n, 32, generator=generator), torch.zeros(batch, dtype=torch.bool)


def test_captions_are_guessed_from_the_video(guessing):
    found = json.loads((guessing / "metrics.json").read_text())["captions"]
    assert found["captions"] == 2
    assert found["val_accuracy"] >= 0.5
    guess = SYSTEM.load(guessing)[1]["captions"]
    assert guess.captions() == ["click", "tone"]
    assert set(guess.guess(torch.randn(3, 9, 32))) <= {"click", "tone"}


def test_a_guess_follows_the_mean_of_the_features():
    guess = CaptionGuess(4, 3)
    guess.learn_captions(["b", "a", "", "b", "c"])
    with torch.no_grad():
        for value in guess.parameters():
            value.zero_()
        guess.net[0].weight[0, 1] = 5.0
        guess.net[2].weight[2, 0] = 1.0
        guess.net[2].bias[0] = 1.0
    features = torch.zeros(2, 6, 4)
    features[1, :, 1] = 1.0
    assert guess.captions() == ["a", "b", "c"]
    assert guess.guess(features) == ["a", "c"]
    features[1, 3:, 1] = -1.0
    assert guess.guess(features) == ["a", "a"]


@pytest.mark.parametrize("captions", [["a", "a", ""], ["", ""], [f"c{i}" for i in range(2000)], ["a", "b" * 99]])
def test_captions_that_cannot_be_guessed_are_refused(captions):
    with pytest.raises(FoleyError, match="Choose text=none"):
        CaptionGuess(4, 3).learn_captions(captions)


def test_words_change_the_prediction_and_padding_does_not(guessing):
    network, (codes, conditions, kept) = random_network(guessing), some_input()
    with torch.no_grad():
        click, tone = (with_words(network, [word, word], 1)(codes, conditions, kept) for word in ("click", "tone"))
        assert not torch.allclose(click, tone)
        rows = network.text.rows(["click", "click"])
        padded = torch.cat([rows, torch.zeros(2, 3, dtype=torch.int64)], dim=1)
        torch.testing.assert_close(network(codes, conditions, kept, padded), click, atol=1e-5, rtol=1e-4)


def test_without_video_there_are_no_words_either(guessing):
    network, (codes, conditions, kept) = random_network(guessing), some_input()
    with torch.no_grad():
        found = [with_words(network, [word, word], 1)(codes, conditions, ~kept) for word in ("click", "tone")]
    assert torch.equal(*found)


def test_windows_and_guidance_keep_each_clips_words(guessing):
    network, (codes, conditions, kept) = random_network(guessing), some_input(batch=4)
    with torch.no_grad():
        whole = with_words(network, ["click", "tone"], 2)(codes, conditions, kept)
        for rows, word in ((slice(0, 2), "click"), (slice(2, 4), "tone")):
            alone = with_words(network, [word], 2)(codes[rows], conditions[rows], kept[rows])
            torch.testing.assert_close(whole[rows], alone, atol=1e-5, rtol=1e-4)
        twice = with_words(network, ["click", "tone"], 2)(*(torch.cat([x, x]) for x in (codes, conditions, kept)))
        torch.testing.assert_close(twice[4:], whole, atol=1e-5, rtol=1e-4)


def test_a_guessing_system_makes_audio_of_its_guesses_alone(corpus, guessing):
    model, data = registry.load("models", "vatt"), ShardDataset(corpus["val"])
    clip = data.load(data.clip_ids[0])
    generator = model.build(BuildContext(checkpoint=guessing))
    audio = generate_one(model, generator, clip, seed=0)
    assert np.array_equal(audio, generate_one(model, generator, dataclasses.replace(clip, label="tone"), seed=0))
    assert audio.shape == (20480,)


def test_true_captions_are_an_oracle_row_and_refused_elsewhere(corpus, told):
    oracle = registry.load("models", "vatt_true_captions")
    assert (oracle.kind, "events" in oracle.sees) == ("oracle", True)
    with pytest.raises(FoleyError, match="vatt_true_captions, an oracle row"):
        registry.load("models", "vatt").build(BuildContext(checkpoint=told))
    assert not (told / "captions").exists()
    data = ShardDataset(corpus["val"])
    clip = data.load(data.clip_ids[0])
    generator = oracle.build(BuildContext(checkpoint=told))
    first, second = (
        generate_one(oracle, generator, dataclasses.replace(clip, label=label), seed=0) for label in ("click", "tone")
    )
    assert not np.array_equal(first, second)


def test_without_text_there_is_no_text_encoder(corpus, guessing, tmp_path):
    shared = {part: str(guessing / part) for part in ("alignment", "codec")}
    out = train_system(SYSTEM, corpus, tmp_path, decoder_blocks="1", **shared)
    network = SYSTEM.load(out)[1]["generator"]
    assert network.text is None
    assert with_words(network, ["click"], 1) is network
    with pytest.raises(FoleyError, match="an oracle row"):
        WITH_TRUE_CAPTIONS.generator(SYSTEM.load(out)[0], SYSTEM.load(out)[1], BuildContext())
