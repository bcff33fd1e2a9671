"""Systems of parts: stages in one run folder, shared parts, resuming, and the joined checkpoint."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from foleybench.api.model import BuildContext
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.settings import SIZES, flat, of_size
from foleymodels._systems.features import FeatureScale, features_at
from foleymodels._systems.parts import _refuse_misfit
from foleymodels._systems.settings import FeatureSettings
from tests.foleymodels.small import system_context, train_system
from tests.foleymodels.systems.toy_system import TOY, ToySettings, trained_parts
from tests.foleymodels.toy import toy_clip


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    return train_system(TOY, corpus, tmp_path_factory.mktemp("systems") / "run")


def test_a_run_folder_holds_its_parts_and_the_whole(run):
    names = {path.name for path in run.iterdir()}
    assert {"alignment", "codec", "generator", "model.safetensors", "config.json", "metrics.json"} <= names
    assert not list(run.rglob("state.safetensors"))
    assert not list(run.glob("conditions-*"))
    config = json.loads((run / "config.json").read_text())
    assert config["kind"] == "toy_system"
    assert config["settings"].keys() == {"signal", "alignment", "codec", "net", "loop"}
    assert config["settings"]["alignment"]["stage1"] == "cavp"
    assert config["part_settings"].keys() == {"alignment", "codec", "generator"}
    assert config["metrics"]["codec"]["step"] == 5
    assert len(config["metrics"]["codec"]["perplexity"]) == 2
    assert config["metrics"]["codec"]["val_mel"] > 0


@pytest.mark.parametrize(("duration_s", "fps"), [(1.28, 25.0), (0.3, 30.0), (3.777, 12.5), (1.0, 23.976)])
def test_length_is_exact_at_any_rate_and_duration(duration_s, fps, corpus, run):
    data = ShardDataset(corpus["val"])
    frames, _, _ = toy_clip(np.random.default_rng(0), "click", duration_s, fps, side=48)
    clip = dataclasses.replace(
        data.load(data.clip_ids[0]), frames=frames, frame_times_s=np.arange(len(frames)) / fps, duration_s=duration_s
    )
    generator = TOY.build(BuildContext(checkpoint=run))
    assert generator.generate([clip], np.random.default_rng(0))[0].shape == (round(duration_s * 16000),)
    assert generator.n_parameters > 1000


def test_a_part_of_another_run_is_taken_and_nothing_of_it_is_trained(corpus, run, tmp_path):
    shared = {name: str(run / name) for name in ("alignment", "codec")}
    out = train_system(TOY, corpus, tmp_path / "shared", net_steps="3", **shared)
    before, after = trained_parts(run), trained_parts(out)
    assert after["codec"] == before["codec"]
    assert after["alignment"] == before["alignment"]
    assert after["generator"] != before["generator"]
    assert not (out / "codec" / "log.jsonl").exists()
    metrics = [json.loads((folder / "metrics.json").read_text())["codec"] for folder in (run, out)]
    assert metrics[1]["perplexity"] == metrics[0]["perplexity"]
    settings, parts = TOY.load(out)
    assert settings.net.net_steps == 3
    for name, value in TOY.load(run)[1]["codec"].state_dict().items():
        assert torch.equal(value, parts["codec"].state_dict()[name])


def test_a_run_can_stop_after_a_part_and_goes_on_later(corpus, run, tmp_path):
    out = tmp_path / "stopped"
    assert train_system(TOY, corpus, out, stage="codec", alignment=str(run / "alignment")) == out / "codec"
    assert not (out / "config.json").exists()
    assert not (out / "generator").exists()
    written = (out / "codec" / "model.safetensors").stat().st_mtime_ns
    assert train_system(TOY, corpus, out) == out
    assert (out / "codec" / "model.safetensors").stat().st_mtime_ns == written
    assert (out / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()
    with pytest.raises(UnknownNameError, match="alignment, codec, generator"):
        train_system(TOY, corpus, tmp_path / "b", stage="flow")


@pytest.mark.parametrize("stage", ["codec", "generator"])
def test_a_killed_stage_goes_on_and_ends_with_the_same_bytes(stage, corpus, run, tmp_path, monkeypatch):
    """Killed by an error in the middle of the stage, with its state saved at every step."""
    from foleymodels._training import loop

    earlier = ("alignment", "codec")[: 2 if stage == "generator" else 1]
    shared = {name: str(run / name) for name in earlier}
    generator_of = loop.step_generator

    def failing(seed, *parts):
        if parts == ("step", 4):
            raise KeyboardInterrupt
        return generator_of(seed, *parts)

    monkeypatch.setattr(loop, "step_generator", failing)
    with pytest.raises(KeyboardInterrupt):
        train_system(TOY, corpus, tmp_path / "run", save_every_s="0", **shared)
    assert (tmp_path / "run" / stage / "state.safetensors").is_file()
    monkeypatch.setattr(loop, "step_generator", generator_of)
    out = train_system(TOY, corpus, tmp_path / "run", save_every_s="0", **shared)
    assert trained_parts(out) == trained_parts(run)
    assert (out / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_a_finished_run_is_kept_and_another_is_refused(corpus, run):
    before = (run / "model.safetensors").stat().st_mtime_ns
    assert train_system(TOY, corpus, run) == run
    assert (run / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(FoleyError, match="another net_steps"):
        train_system(TOY, corpus, run, net_steps="7")


def test_a_part_of_other_settings_is_refused_and_one_trained_longer_is_not(corpus, run, tmp_path):
    shared = {"alignment": str(run / "alignment"), "codec": str(run / "codec")}
    with pytest.raises(FoleyError, match="latent_dim=8, this run wants 6"):
        train_system(TOY, corpus, tmp_path / "a", latent_dim="6", **shared)
    train_system(TOY, corpus, tmp_path / "b", codec_steps="2", stage="codec", **shared)
    with pytest.raises(FoleyError, match="wanted 'residual_codec'"):
        train_system(TOY, corpus, tmp_path / "c", **{**shared, "codec": str(run / "alignment")})
    assert not (tmp_path / "c" / "codec").exists()
    settings = of_size(ToySettings, "tiny")
    other = dataclasses.replace(settings, loop=dataclasses.replace(settings.loop, precision="bfloat16"))
    _refuse_misfit(other, settings, tmp_path, "codec")
    other = dataclasses.replace(settings, signal=dataclasses.replace(settings.signal, n_mels=32))
    with pytest.raises(FoleyError, match="n_mels"):
        _refuse_misfit(other, settings, tmp_path, "codec")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"stage1": "infonce"}, "stage1=cavp, this run wants infonce"),
        ({"mel_window": "512"}, "mel_window=0, this run wants 512"),
        ({"encoder_weights": "random"}, "encoder_weights=published, this run wants random"),
        ({"window_s": "0.96"}, r"window_s=1\.28, this run wants 0\.96"),
    ],
)
def test_frame_features_of_another_stage_or_signal_are_refused(changed, message, corpus, run, tmp_path):
    with pytest.raises(FoleyError, match=f"alignment was trained with {message}"):
        train_system(TOY, corpus, tmp_path, alignment=str(run / "alignment"), **changed)


def check(corpus, out, **settings):
    TOY.check(system_context(TOY, corpus, out, **settings))


@pytest.mark.parametrize(
    ("taken", "changed", "message"),
    [
        ("codec", {"latent_dim": "6"}, "latent_dim=8, this run wants 6"),
        ("alignment", {"stage1": "infonce"}, "stage1=cavp, this run wants infonce"),
    ],
)
def test_a_part_that_does_not_fit_is_refused_before_a_training_and_leaves_nothing(
    taken, changed, message, corpus, run, tmp_path
):
    out = tmp_path / "run"
    source = str(run / taken)
    check(corpus, out, **{taken: source})
    with pytest.raises(FoleyError, match=f"{source} was trained with {message}"):
        check(corpus, out, **{taken: source}, **changed)
    assert not out.exists()
    check(corpus, out, **{taken: str(tmp_path / "not_yet")}, **changed)
    with pytest.raises(FoleyError, match=f"{source} was trained with {message}"):
        train_system(TOY, corpus, out, **{taken: source}, stage=taken, **changed)
    assert not (out / taken).exists()


def test_what_a_run_folder_holds_is_looked_at_before_a_training(corpus, run, tmp_path):
    other = train_system(TOY, corpus, tmp_path / "other", stage="codec", asked={"seed": 1}).parent
    check(corpus, other)
    with pytest.raises(FoleyError, match="latent_dim=8, this run wants 6"):
        check(corpus, other, latent_dim="6")
    with pytest.raises(FoleyError, match="already holds weights that are not those of codec="):
        check(corpus, other, codec=str(run / "codec"))
    check(corpus, run)
    with pytest.raises(FoleyError, match="another net_steps"):
        check(corpus, run, net_steps="7")
    check(corpus, run, net_steps="7", asked={"data": tmp_path / "not_yet"})  # whether it is the same run is not known


def test_a_run_with_a_part_of_its_own_takes_no_other(corpus, run, tmp_path):
    other = train_system(TOY, corpus, tmp_path / "other", stage="codec", asked={"seed": 1}).parent
    begun = shutil.copytree(other, tmp_path / "begun")
    finished = shutil.copytree(run, tmp_path / "finished")
    for out, source in ((begun, run), (finished, other)):
        for name in ("alignment", "codec"):
            kept = (out / name / "model.safetensors").read_bytes()
            with pytest.raises(FoleyError, match=f"{name} already holds weights that are not those of {name}="):
                train_system(TOY, corpus, out, **{name: str(source / name)})
            assert (out / name / "model.safetensors").read_bytes() == kept
    same = {name: str(run / name) for name in ("alignment", "codec")}
    assert train_system(TOY, corpus, finished, **same) == finished


def test_a_part_that_the_system_does_not_have_is_refused(tmp_path):
    from foleybench.api.model import TrainContext

    without = dataclasses.replace(TOY, parts=(TOY.parts[0], TOY.parts[2]))
    asked = {"alignment": "anywhere", "jobs": "1", "stage": "generator", "codec": "anywhere"}
    context = TrainContext(data=tmp_path, val=None, out=tmp_path, settings=asked)
    with pytest.raises(UnknownNameError, match=r"takes no codec: .* alignment, generator\. Leave codec= out"):
        without.resolve(context)
    assert TOY.resolve(context)[1].codec == "anywhere"


def test_what_is_no_checkpoint_of_the_system_is_refused(run, tmp_path):
    with pytest.raises(FoleyError, match="foleybench train toy_system"):
        TOY.build(BuildContext())
    with pytest.raises(FoleyError, match="no checkpoint"):
        TOY.build(BuildContext(checkpoint=tmp_path))
    shutil.copytree(run, tmp_path / "copy")
    path = tmp_path / "copy" / "config.json"
    path.write_text(path.read_text().replace('"toy_system"', '"other_system"'))
    with pytest.raises(FoleyError, match="'other_system'"):
        TOY.build(BuildContext(checkpoint=tmp_path / "copy"))


@pytest.mark.slow
def test_samples_are_made_while_it_is_trained_and_change_nothing(corpus, run, tmp_path):
    out = train_system(TOY, corpus, tmp_path / "run", asked={"sample_every": 3})
    assert len(list(out.glob("samples/step-3/*.wav"))) == 4
    assert (out / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_steps_scale_all_parts_alike(corpus, tmp_path):
    from foleybench.api.model import TrainContext

    def resolved(steps):
        return TOY.resolve(TrainContext(data=tmp_path, val=None, out=tmp_path, steps=steps))[0]

    whole = flat(resolved(None))
    half = flat(resolved(whole["net_steps"] // 2))
    for name in ("net_steps", "codec_steps", "vama_steps"):
        assert half[name] == whole[name] // 2


def test_systems_see_as_many_clips_as_the_flow_and_all_have_the_same_features():
    from foleymodels._flow.settings import FlowSettings

    for size in SIZES:
        net, flow = of_size(ToySettings, size).net, FlowSettings.sizes()[size]
        assert (net.net_steps, net.net_batch, net.net_crop_s) == (flow.flow_steps, flow.flow_batch, flow.flow_crop_s)
        features = FeatureSettings.sizes()[size]
        assert (features.stage1, features.audio_target) == ("cavp", "mel")
        features.check()


def test_frames_at_a_coarser_rate_are_those_on_screen():
    conditions = torch.arange(125.0).reshape(1, 125, 1)  # 4 s at 31.25 a second
    assert features_at(conditions, 31.25, 1.0)[0, :, 0].tolist() == [15, 46, 78, 109]
    assert features_at(conditions, 31.25, 5.0).shape == (1, 20, 1)
    assert features_at(conditions, 31.25, 5.0)[0, :3, 0].tolist() == [3, 9, 15]
    assert features_at(conditions[:, :9], 31.25, 1.0)[0, :, 0].tolist() == [8], "a clip under a second has one frame"


def test_the_scale_is_that_of_the_training_data():
    scale, values = FeatureScale(3), torch.randn(50, 3) * torch.tensor([1.0, 5.0, 0.0]) + 2
    scale.measure(values)
    scaled = scale(values)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0), torch.tensor([1.0, 1.0, 0.0]), atol=1e-4, rtol=0)
