"""The control of a codec: the real audio through its codes, and its training alone."""

import json

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext, TrainContext
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.generation.folder import generate_one
from foleybench.shards.dataset import ShardDataset
from foleymodels._codecs.kinds import read_codec
from foleymodels._parts.mel import Mel
from foleymodels._vocoders.griffin_lim import griffin_lim
from tests.foleymodels.small import SMALL_SYSTEM, figures, train_system
from tests.foleymodels.systems.toy_system import TOY

CODEC = registry.load("models", "codec")


def asked(corpus, out, **more):
    names = ("window_s", "vocoder_iterations", *(name for name in SMALL_SYSTEM if name.startswith(("codec", "latent"))))
    settings = {**{name: SMALL_SYSTEM[name] for name in names}, "codebook_size": "16", **more.pop("settings", {})}
    return TrainContext(data=corpus["train"], val=corpus["val"], out=out, settings=settings, **more)


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    with figures(False):
        return CODEC.train(asked(corpus, tmp_path_factory.mktemp("codec") / "run"))


def test_it_is_the_real_audio_through_mel_codes_and_vocoder(corpus, trained):
    data = ShardDataset(corpus["val"])
    clip = data.load(data.clip_ids[0])
    audio = generate_one(CODEC, CODEC.build(BuildContext(checkpoint=trained)), clip, seed=0)
    codec, signal = read_codec(trained)
    mel = Mel(signal.mel)
    with torch.inference_mode():
        rebuilt = codec.decode(codec.encode(mel.tokens(torch.from_numpy(clip.audio)[None])))
        wanted = griffin_lim(mel, rebuilt, len(clip.audio), iterations=2)[0].clamp(-1, 1).numpy()
    np.testing.assert_allclose(audio, wanted, atol=1e-6)
    vocoded = registry.load("models", "vocoded")
    assert not np.allclose(audio, generate_one(vocoded, vocoded.build(BuildContext()), clip, seed=0), atol=1e-3)


def test_kept_codes_are_the_means_of_what_took_them(trained):
    """Averaged over steps they would not be: an average of means is not the mean of the averages."""
    for book in read_codec(trained).codec.quantiser.books:
        torch.testing.assert_close(book.codes * book.counts[:, None], book.sums)


def test_it_is_never_ranked_and_says_what_it_sees(trained):
    assert (CODEC.kind, CODEC.sees) == ("control", {"audio"})
    generator = CODEC.build(BuildContext(checkpoint=trained))
    assert (generator.nfe, generator.guidance, generator.rate_hz) == (0, None, 16000)
    assert generator.vocoder == "griffin_lim, 2 iterations"


def test_a_codec_trained_alone_serves_a_system_and_a_systems_run_serves_the_control(corpus, trained, tmp_path):
    out = train_system(TOY, corpus, tmp_path / "run", codec=str(trained), stage="codec").parent
    given, taken = read_codec(trained).codec.state_dict(), read_codec(out).codec.state_dict()
    assert all(torch.equal(value, taken[name]) for name, value in given.items())
    assert (out / "codec" / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
    known = json.loads((trained / "metrics.json").read_text())["codec"]
    assert json.loads((out / "metrics.json").read_text())["codec"]["perplexity"] == known["perplexity"]
    assert known["parameters"] == sum(p.numel() for p in read_codec(out).codec.parameters())


def test_what_is_no_codec_and_other_settings_are_refused(corpus, trained, tmp_path):
    with pytest.raises(FoleyError, match="foleybench train codec"):
        CODEC.build(BuildContext())
    with pytest.raises(FoleyError, match="no checkpoint"):
        CODEC.build(BuildContext(checkpoint=tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"kind": "foleyflow", "format": 1}))
    with pytest.raises(FoleyError, match="'foleyflow', wanted a codec"):
        CODEC.build(BuildContext(checkpoint=tmp_path))
    before = (trained / "model.safetensors").stat().st_mtime_ns
    assert CODEC.train(asked(corpus, trained)) == trained
    assert (trained / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(FoleyError, match="another codec_steps"):
        CODEC.train(asked(corpus, trained, settings={"codec_steps": "7"}))
    with pytest.raises(FoleyError, match="--sample-every"):
        CODEC.train(asked(corpus, tmp_path / "b", sample_every=2))
    with pytest.raises(UnknownNameError, match="net_dim"):
        CODEC.train(asked(corpus, tmp_path / "b", settings={"net_dim": "7"}))


def test_steps_are_the_codecs(corpus, tmp_path):
    with figures(False):
        CODEC.train(asked(corpus, tmp_path, steps=2, settings={"codec_steps": "9"}))
    assert json.loads((tmp_path / "config.json").read_text())["settings"]["codec"]["codec_steps"] == 2


@pytest.mark.slow
def test_more_steps_and_more_levels_rebuild_the_audio_better(corpus, tmp_path):
    found = {}
    with figures(False):
        for name, more in {"few": {"codec_steps": "5"}, "many": {"codec_steps": "150"},
                           "one": {"codec_steps": "150", "codec_levels": "1"}}.items():  # fmt: skip
            out = CODEC.train(asked(corpus, tmp_path / name, settings=more))
            found[name] = json.loads((out / "metrics.json").read_text())["codec"]["val_mel"]
    assert found["many"] < 0.8 * found["few"], found
    assert found["many"] < found["one"], found
