"""The three systems that make mel tokens by flows and diffusion: what all of them promise."""

import dataclasses

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.model import BuildContext
from foleybench.errors import FoleyError
from foleybench.generation.folder import generate_one
from foleybench.shards.dataset import ShardDataset
from foleymodels._flow.network import Flow
from foleymodels._parts.settings import SIZES, flat, of_size
from foleymodels._sound_text.flow import SoundFlow
from foleymodels._training.loop import n_parameters
from foleymodels.diff_foley.network import CrossDenoiser
from foleymodels.diff_foley.system import SYSTEM as DIFF_FOLEY
from foleymodels.foleyflow.settings import FoleyFlowSettings
from foleymodels.seeing_hearing.system import SYSTEM as SEEING_HEARING
from foleymodels.v2a_mapper.system import SYSTEM as V2A_MAPPER
from tests.foleymodels.small import assert_same_in_a_batch, first_is_fast, names_and_lengths, train_system
from tests.foleymodels.systems.toy_system import trained_parts
from tests.foleymodels.toy import toy_clip

SYSTEMS = {system.name: system for system in (V2A_MAPPER, SEEING_HEARING, DIFF_FOLEY)}


@pytest.fixture(scope="module")
def runs(corpus, tmp_path_factory):
    """Every system, on one alignment stage and one flow of sound."""
    base = tmp_path_factory.mktemp("continuous")
    first = train_system(V2A_MAPPER, corpus, base / "v2a_mapper")
    alignment = {"alignment": str(first / "alignment")}
    sound = {name: str(first / name) for name in ("sound_text", "flow")}
    return {
        "v2a_mapper": first,
        "seeing_hearing": train_system(SEEING_HEARING, corpus, base / "seeing_hearing", **alignment, **sound),
        "diff_foley": train_system(DIFF_FOLEY, corpus, base / "diff_foley", **alignment),
    }


@pytest.mark.parametrize(
    ("name", "duration_s", "fps"),
    names_and_lengths(SYSTEMS, [(1.0, 23.976), (1.28, 25.0), (0.3, 30.0), (3.777, 12.5)]),
)
def test_length_is_exact_at_any_rate_and_duration_and_bits_repeat(name, duration_s, fps, corpus, runs):
    model, data = registry.load("models", name), ShardDataset(corpus["val"])
    frames, _, _ = toy_clip(np.random.default_rng(0), "click", duration_s, fps, side=48)
    clip = dataclasses.replace(
        data.load(data.clip_ids[0]), frames=frames, frame_times_s=np.arange(len(frames)) / fps, duration_s=duration_s
    )
    generator = model.build(BuildContext(checkpoint=runs[name]))
    audio = generate_one(model, generator, clip, seed=3)
    assert audio.shape == (round(duration_s * generator.rate_hz),)
    assert np.isfinite(audio).all()
    assert np.array_equal(audio, generate_one(model, generator, clip, seed=3))
    assert not np.array_equal(audio, generate_one(model, generator, clip, seed=4))


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_batch_of_mixed_lengths_keeps_its_order(name, corpus, runs):
    data = ShardDataset(corpus["val"])
    clips = [data.load(clip_id, audio=False) for clip_id in data.clip_ids[:3]]
    clips[1] = dataclasses.replace(clips[1], duration_s=0.64)
    generator = registry.load("models", name).build(BuildContext(checkpoint=runs[name]))
    assert [len(audio) for audio in generator.generate(clips, np.random.default_rng(0))] == [20480, 10240, 20480]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stage"),
    [
        *(("v2a_mapper", stage) for stage in ("sound_text", "mapper", "flow")),
        ("seeing_hearing", "aligner"),
        *(("diff_foley", stage) for stage in ("judge", "diffusion")),
    ],
)
def test_a_killed_stage_goes_on_and_ends_with_the_same_bytes(name, stage, corpus, runs, tmp_path, monkeypatch):
    """Killed by an error in the middle of a stage, with its state saved at every step."""
    from foleymodels._training import loop

    system, generator_of = SYSTEMS[name], loop.step_generator
    done = [part.name for part in system.parts]
    shared = {part: str(runs[name] / part) for part in done[: done.index(stage)]}
    shared = {part: folder for part, folder in shared.items() if part in system.options.__dataclass_fields__}

    def failing(seed, *parts):
        if parts == ("step", 2) and (tmp_path / "run" / stage / "log.jsonl").is_file():
            raise KeyboardInterrupt
        return generator_of(seed, *parts)

    monkeypatch.setattr(loop, "step_generator", failing)
    with pytest.raises(KeyboardInterrupt):
        train_system(system, corpus, tmp_path / "run", save_every_s="0", **shared)
    assert (tmp_path / "run" / stage / "state.safetensors").is_file()
    monkeypatch.setattr(loop, "step_generator", generator_of)
    out = train_system(system, corpus, tmp_path / "run", save_every_s="0", **shared)
    assert trained_parts(out) == trained_parts(runs[name])
    assert (out / "model.safetensors").read_bytes() == (runs[name] / "model.safetensors").read_bytes()
    assert not list(out.rglob("state.safetensors"))


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_finished_run_is_kept_and_another_is_refused(name, corpus, runs):
    system, before = SYSTEMS[name], (runs[name] / "model.safetensors").stat().st_mtime_ns
    assert train_system(system, corpus, runs[name]) == runs[name]
    assert (runs[name] / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(FoleyError, match=f"another {system.main_steps}"):
        train_system(system, corpus, runs[name], **{system.main_steps: "9"})


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_samples_are_made_while_it_is_trained_and_change_nothing(name, corpus, runs, tmp_path):
    system = SYSTEMS[name]
    shared = {part.name: str(runs[name] / part.name) for part in system.parts[:-1]}
    shared = {part: folder for part, folder in shared.items() if part in system.options.__dataclass_fields__}
    out = train_system(system, corpus, tmp_path / "run", asked={"sample_every": 3}, **shared)
    assert len(list(out.glob("samples/step-3/*.wav"))) == 4
    assert trained_parts(out) == trained_parts(runs[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_it_is_trained_in_bfloat16(name, corpus, tmp_path):
    out = train_system(SYSTEMS[name], corpus, tmp_path / "run", precision="bfloat16")
    generator = SYSTEMS[name].build(BuildContext(checkpoint=out))
    data = ShardDataset(corpus["val"])
    assert len(generator.generate([data.load(data.clip_ids[0], audio=False)], np.random.default_rng(0))[0]) == 20480


@pytest.mark.parametrize("size", SIZES)
def test_generators_have_as_many_parameters_as_foley_flows(size):
    """Within a tenth of its flow network, at every size."""
    import torch

    of_flow = of_size(FoleyFlowSettings, size)
    width = 2 * of_flow.alignment.vama_dim
    with torch.device("meta"):
        wanted = n_parameters(Flow(of_flow.flow, of_flow.signal.mel, width))
        sound = n_parameters(SoundFlow(of_size(V2A_MAPPER.settings, size)).flow)
        settings = of_size(DIFF_FOLEY.settings, size)
        diffusion = n_parameters(CrossDenoiser(settings.net, settings.signal.mel, width))
    assert sound == pytest.approx(wanted, rel=0.1)
    assert diffusion == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SYSTEMS)
def test_settings_are_those_of_the_comparison(name, size):
    """The same mel, windows, vocoder, features and crops seen as Foley-Flow's flow."""
    settings, flow = of_size(SYSTEMS[name].settings, size), of_size(FoleyFlowSettings, size)
    assert settings.signal == flow.signal
    assert settings.alignment.stage1 == "cavp"
    values = flat(settings)
    seen = [values[f"{key}_{what}"] for key in ("flow", "net") for what in ("steps", "batch", "crop_s")
            if f"{key}_steps" in values]  # fmt: skip
    assert seen == [flow.flow.flow_steps, flow.flow.flow_batch, flow.flow.flow_crop_s]
    for part in vars(settings).values():
        part.check()


@pytest.mark.parametrize("name", SYSTEMS)
def test_steps_scale_all_parts_alike(name, tmp_path):
    from foleybench.api.model import TrainContext

    system = SYSTEMS[name]

    def resolved(steps):
        return flat(system.resolve(TrainContext(data=tmp_path, val=None, out=tmp_path, steps=steps))[0])

    whole, half = resolved(None), resolved(450)
    scaled = {key for key in whole if key.endswith("_steps") and half[key] != whole[key]}
    assert {key: half[key] * 2 for key in scaled} == {key: whole[key] for key in scaled}
    assert {system.main_steps, "vama_steps"} < scaled


@pytest.mark.parametrize(("name", "sampler"), [("v2a_mapper", "dpm"), ("diff_foley", "euler")])
def test_a_sampler_of_another_kind_is_refused_by_name(name, sampler, corpus, runs):
    data = ShardDataset(corpus["val"])
    generator = registry.load("models", name).build(BuildContext(checkpoint=runs[name], sampler=sampler))
    with pytest.raises(FoleyError, match=f"'{sampler}'.*(euler, heun|ddim, dpm)"):
        generator.generate([data.load(data.clip_ids[0], audio=False)], np.random.default_rng(0))


@pytest.mark.parametrize("name", first_is_fast(SYSTEMS))
def test_a_batch_gives_each_clip_what_it_gets_alone(name, corpus, runs):
    assert_same_in_a_batch(name, runs[name], corpus)
