"""The systems that write codes, end to end on the toy corpus: they train, go on, and make audio of any length."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext, TrainContext
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.shards.dataset import ShardDataset
from foleymodels._alignment.settings import AlignmentSettings
from foleymodels._codecs.codec import Codec
from foleymodels._flow.network import Flow
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.settings import SIZES, of_size
from foleymodels._training.loop import n_parameters
from foleymodels.foleygen import system as foleygen
from foleymodels.im2wav import system as im2wav
from foleymodels.specvqgan import system as specvqgan
from tests.foleymodels.small import assert_same_in_a_batch, first_is_fast, names_and_lengths, train_system
from tests.foleymodels.toy import toy_clip

SYSTEMS = {"foleygen": foleygen.SYSTEM, "specvqgan": specvqgan.SYSTEM, "im2wav": im2wav.SYSTEM}
NETWORKS = {
    "foleygen": (foleygen.FoleyGenSettings, foleygen.FoleyGenWriter),
    "specvqgan": (specvqgan.SpecVqganSettings, specvqgan.SpecVqganWriter),
    "im2wav": (im2wav.Im2WavSettings, im2wav.Im2WavWriter),
}


@pytest.fixture(scope="module")
def runs(corpus, tmp_path_factory):
    """Checkpoint folders by name, each trained when it is first asked for; all take one alignment stage."""
    folder, made = tmp_path_factory.mktemp("writers"), {}

    def run(name):
        if name not in made:
            shared = {"alignment": str(made["foleygen"] / "alignment")} if "foleygen" in made else {}
            made[name] = train_system(SYSTEMS[name], corpus, folder / name, **shared)
        return made[name]

    run("foleygen")
    return run


def some_clip(corpus, duration_s=1.28, fps=25.0):
    data = ShardDataset(corpus["val"])
    frames, _, _ = toy_clip(np.random.default_rng(0), "click", max(0.3, duration_s), fps, side=48)
    frames = frames[: max(1, round(duration_s * fps))]
    return dataclasses.replace(
        data.load(data.clip_ids[0]), frames=frames, frame_times_s=np.arange(len(frames)) / fps, duration_s=duration_s,
        audio=None, events=None,
    )  # fmt: skip


@pytest.mark.parametrize("name", SYSTEMS)
def test_they_train_and_say_what_they_are(name, runs):
    out = runs(name)
    config = json.loads((out / "config.json").read_text())
    assert config["kind"] == name
    assert config["settings"]["alignment"]["stage1"] == "cavp"
    assert {"alignment", "codec", "writer"} <= {path.name for path in out.iterdir()}
    metrics = config["metrics"]
    assert metrics["writer"]["step"] == 5
    assert np.isfinite(metrics["writer"]["loss"])
    assert metrics["codec"]["val_mel"] > 0
    assert registry.load("models", name).train == SYSTEMS[name].train


@pytest.mark.parametrize(
    ("name", "duration_s", "fps"),
    names_and_lengths(SYSTEMS, [(1.0, 23.976), (0.02, 25.0), (0.3, 30.0), (2.777, 12.5)]),
)
def test_length_is_exact_at_any_rate_and_duration(name, duration_s, fps, corpus, runs):
    generator = SYSTEMS[name].build(BuildContext(checkpoint=runs(name)))
    (audio,) = generator.generate([some_clip(corpus, duration_s, fps)], np.random.default_rng(0))
    assert audio.shape == (round(duration_s * 16000),)
    assert np.isfinite(audio).all()


@pytest.mark.parametrize("name", first_is_fast(SYSTEMS))
def test_a_seed_repeats_and_another_gives_other_audio(name, corpus, runs):
    generator, clip = SYSTEMS[name].build(BuildContext(checkpoint=runs(name))), some_clip(corpus)
    first, again, other = (generator.generate([clip], np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_killed_run_ends_with_the_same_bytes(name, corpus, runs, tmp_path, monkeypatch):
    from foleymodels._training import loop

    out = runs(name)
    shared = {part: str(out / part) for part in ("alignment", "codec")}
    generator_of = loop.step_generator

    def failing(seed, *parts):
        if parts == ("step", 4):
            raise KeyboardInterrupt
        return generator_of(seed, *parts)

    monkeypatch.setattr(loop, "step_generator", failing)
    with pytest.raises(KeyboardInterrupt):
        train_system(SYSTEMS[name], corpus, tmp_path / "run", save_every_s="0", **shared)
    assert (tmp_path / "run" / "writer" / "state.safetensors").is_file()
    monkeypatch.setattr(loop, "step_generator", generator_of)
    resumed = train_system(SYSTEMS[name], corpus, tmp_path / "run", save_every_s="0", **shared)
    assert (resumed / "model.safetensors").read_bytes() == (out / "model.safetensors").read_bytes()


@pytest.mark.parametrize("name", SYSTEMS)
def test_writers_are_trained_on_the_frame_half_of_the_condition(name, corpus, runs, tmp_path, monkeypatch):
    """Standardised by the training data's, in training as at generation; some rows without the video where asked."""
    from foleymodels._autoregression import writer

    seen, network = [], NETWORKS[name][1]
    plain = network.losses

    def losses(self, codes, features, dropped):
        seen.append((codes, features, dropped, self.scale.centre.clone()))
        return plain(self, codes, features, dropped)

    monkeypatch.setattr(network, "losses", losses)
    monkeypatch.setattr(writer, "frame_conditions", lambda run: Marked(writer.alignment_in(run.parts).condition_dim))
    shared = {part: str(runs(name) / part) for part in ("alignment", "codec")}
    train_system(SYSTEMS[name], corpus, tmp_path, net_drop_p="0.5", net_steps="4", **shared)
    features = torch.cat([features for _, features, _, _ in seen])
    assert features.shape[-1] == 16
    assert (features == 1.0).all(), "the other half is 2"
    assert all((centre == 1.0).all() for *_, centre in seen)
    dropped = torch.cat([dropped for _, _, dropped, _ in seen])
    assert 0 < int(dropped.sum()) < len(dropped)


class Marked:
    """Conditions whose first half is 1 and whose second half, the audio plan, is 2."""

    def __init__(self, width):
        self._row = torch.cat([torch.ones(width // 2), torch.full((width // 2,), 2.0)])

    def sample(self):
        return self._row.expand(10, -1)

    def crop(self, indices, starts, n_tokens, device="cpu"):
        return self._row.expand(len(indices), n_tokens, -1)


@pytest.mark.parametrize("name", SYSTEMS)
def test_writers_are_given_the_frame_half_at_generation(name, corpus, runs, monkeypatch):
    from foleymodels._autoregression import writer

    def marked(parts, settings, device):
        return lambda clips, n_tokens: Marked(32).crop(clips, None, n_tokens)

    seen, network = [], NETWORKS[name][1]
    plain = network.write
    monkeypatch.setattr(writer, "clip_conditions", marked)
    monkeypatch.setattr(
        network, "write", lambda self, features, *how: seen.append(features) or plain(self, features, *how)
    )
    SYSTEMS[name].build(BuildContext(checkpoint=runs(name))).generate(
        [some_clip(corpus, 0.3)], np.random.default_rng(0)
    )
    assert seen[0].shape == (1, 10, 16)
    assert (seen[0] == 1.0).all()


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("asked", [{"nfe": 8}, {"sampler": "heun"}])
def test_evaluations_and_samplers_that_do_not_apply_are_refused(name, asked, runs):
    with pytest.raises(FoleyError, match=next(iter(asked))):
        SYSTEMS[name].build(BuildContext(checkpoint=runs(name), **asked))


def test_guidance_of_a_network_that_never_trained_without_the_video_is_refused(corpus, runs, tmp_path):
    """SpecVQGAN has no guidance, as published; the flag is another share of examples without the video."""
    assert SYSTEMS["specvqgan"].build(BuildContext(checkpoint=runs("specvqgan"))).guidance is None
    with pytest.raises(FoleyError, match="net_drop_p"):
        SYSTEMS["specvqgan"].build(BuildContext(checkpoint=runs("specvqgan"), guidance=2.0))
    context = TrainContext(data=tmp_path, val=None, out=tmp_path, settings={"guidance": "2.0"})
    with pytest.raises(UnknownNameError, match="net_drop_p"):
        SYSTEMS["specvqgan"].resolve(context)
    context = dataclasses.replace(context, settings={"guidance": "2.0", "net_drop_p": "0.1"})
    assert SYSTEMS["specvqgan"].resolve(context)[0].net.guidance == 2.0


@pytest.mark.parametrize("name", first_is_fast(["foleygen", "im2wav"]))
def test_guidance_changes_what_is_written(name, corpus, runs):
    clip, out = some_clip(corpus), runs(name)
    plain, strong = (
        SYSTEMS[name].build(BuildContext(checkpoint=out, guidance=scale)).generate([clip], np.random.default_rng(0))[0]
        for scale in (1.0, 40.0)
    )
    assert not np.allclose(plain, strong, atol=1e-3)


class Sized(Codec):
    """A codec as far as the size of a writer depends on it."""

    def __init__(self, settings, mel):
        super().__init__()
        made = vars(settings)
        self.mel = mel
        self.n_codes = made.get("codebook_size") or made.get("patch_codes") or made.get("rate_codes")
        self.levels = made.get("codec_levels") or (
            mel.n_mels // made["patch_bands"] if "patch_bands" in made else 1 + made["fine_per_token"]
        )

    def encode(self, tokens):
        raise NotImplementedError

    decode = losses = encode


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", SIZES)
def test_writers_are_within_a_tenth_of_the_flow_in_size_and_see_as_many_crops(name, size):
    kind, network = NETWORKS[name]
    settings, flow = of_size(kind, size), FlowSettings.sizes()[size]
    width = AlignmentSettings.sizes()[size].vama_dim
    with torch.device("meta"):
        mine = n_parameters(network(settings, width, Sized(settings.codec, settings.signal.mel)))
        theirs = n_parameters(Flow(flow, settings.signal.mel, 2 * width))
    assert mine == pytest.approx(theirs, rel=0.1)
    net = settings.net
    assert (net.net_steps, net.net_batch, net.net_crop_s) == (flow.flow_steps, flow.flow_batch, flow.flow_crop_s)
    net.check()


@pytest.mark.parametrize("name", first_is_fast(SYSTEMS))
def test_a_batch_gives_each_clip_what_it_gets_alone(name, corpus, runs):
    assert_same_in_a_batch(name, runs(name), corpus)
