import dataclasses
import itertools
import json
import shutil

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext, TrainContext
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.generation.folder import GenerationSettings as SamplingSettings
from foleybench.generation.folder import build_generator, describe_model, generate_one, row_title
from foleybench.shards.dataset import ShardDataset
from foleymodels import foleyflow_eq4
from foleymodels._alignment.stage import load_alignment
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.settings import flat
from foleymodels.foleyflow.checkpoints import load_foleyflow
from foleymodels.foleyflow.settings import resolve_foleyflow
from tests.foleymodels.small import assert_same_in_a_batch, first_is_fast, names_and_lengths, settings_of, train
from tests.foleymodels.toy import toy_clip

TRAINED = ["foleyflow", "foleyflow_static", "foleyflow_dcf", "unconditional", "nearest", "constant_flow"]


@pytest.fixture(scope="module")
def runs(corpus, tmp_path_factory):
    """Every trained model, on one alignment stage."""
    base = tmp_path_factory.mktemp("runs")
    found = {"foleyflow": train("foleyflow", corpus, base / "foleyflow", drawn=True)}
    for name in TRAINED[1:]:
        shared = (
            {} if name in ("unconditional", "constant_flow") else {"alignment": str(base / "foleyflow" / "alignment")}
        )
        found[name] = train(name, corpus, base / name, **shared)
    return found


@pytest.mark.parametrize(
    ("name", "duration_s", "fps"),
    names_and_lengths(TRAINED, [(1.0, 23.976), (1.28, 25.0), (0.3, 30.0), (3.777, 12.5)]),
)
def test_length_is_exact_at_any_rate_and_duration(name, duration_s, fps, corpus, runs):
    model = registry.load("models", name)
    data = ShardDataset(corpus["val"])
    frames, _, _ = toy_clip(np.random.default_rng(0), "click", duration_s, fps, side=48)
    clip = dataclasses.replace(
        data.load(data.clip_ids[0]),
        frames=frames,
        frame_times_s=np.arange(len(frames)) / fps,
        duration_s=duration_s,
    )
    generator = model.build(BuildContext(checkpoint=runs[name]))
    audio = generate_one(model, generator, clip, seed=3)
    assert audio.shape == (round(duration_s * generator.rate_hz),)
    assert np.abs(audio).max() <= 1.0
    assert np.array_equal(audio, generate_one(model, generator, clip, seed=3))


def test_another_seed_makes_another_sound(corpus, runs):
    model = registry.load("models", "foleyflow")
    data = ShardDataset(corpus["val"])
    generator = model.build(BuildContext(checkpoint=runs["foleyflow"]))
    clip = data.load(data.clip_ids[0])
    assert not np.array_equal(generate_one(model, generator, clip, 0), generate_one(model, generator, clip, 1))


def test_a_batch_of_mixed_lengths_keeps_its_order(corpus, runs):
    data = ShardDataset(corpus["val"])
    clips = [data.load(i, audio=False) for i in data.clip_ids[:3]]
    clips[1] = dataclasses.replace(clips[1], duration_s=0.64)
    generator = registry.load("models", "foleyflow").build(BuildContext(checkpoint=runs["foleyflow"]))
    sounds = generator.generate(clips, np.random.default_rng(0))
    assert [len(sound) for sound in sounds] == [20480, 10240, 20480]


def test_build_takes_nfe_and_guidance(runs):
    model = registry.load("models", "foleyflow")
    generator = model.build(BuildContext(checkpoint=runs["foleyflow"], nfe=7, guidance=1.5))
    assert (generator.nfe, generator.guidance) == (7, 1.5)
    assert generator.n_parameters > 1000
    assert (generator.sampler, generator.vocoder) == ("euler", "griffin_lim, 2 iterations")
    default = model.build(BuildContext(checkpoint=runs["foleyflow"]))
    assert (default.nfe, default.guidance) == (2, FlowSettings().guidance)


def test_the_sampler_can_be_chosen_afterwards(corpus, runs):
    model = registry.load("models", "foleyflow")
    data = ShardDataset(corpus["val"])
    clip = data.load(data.clip_ids[0], audio=False)
    sounds = [
        model.build(BuildContext(checkpoint=runs["foleyflow"], nfe=4, sampler=name)).generate(
            [clip], np.random.default_rng(0)
        )[0]
        for name in ("euler", "heun")
    ]
    assert not np.array_equal(*sounds)
    row = SamplingSettings(model="foleyflow", nfe=4, sampler="heun")
    assert row.row_name == "foleyflow-nfe4-heun"
    assert row_title(row, model).endswith("4 NFE, heun")


def test_the_level_can_be_drawn_to_the_first_estimate_afterwards(corpus, runs):
    data = ShardDataset(corpus["val"])
    clip = data.load(data.clip_ids[0], audio=False)
    rows = [
        SamplingSettings(model="foleyflow", checkpoint=runs["foleyflow"], nfe=4, level_share=level)
        for level in (None, 0.0, 0.5)
    ]
    built = [build_generator(row, None) for row in rows]
    plain, same, followed = (made.generate([clip], np.random.default_rng(0))[0] for _, made in built)
    assert np.array_equal(plain, same)
    assert not np.array_equal(plain, followed)
    assert [row.row_name for row in rows] == ["foleyflow-nfe4", "foleyflow-nfe4", "foleyflow-nfe4-level0.5"]
    told = [describe_model(row, *made) for row, made in zip(rows, built, strict=True)]
    assert told[2]["model"]["title"].endswith("4 NFE, level share 0.5")
    assert [one.get("level_share", "absent") for one in told] == ["absent", 0.0, 0.5]


def test_a_model_that_samples_no_flow_has_no_level_share(runs):
    row = SamplingSettings(model="nearest", checkpoint=runs["nearest"], level_share=0.5)
    with pytest.raises(FoleyError, match=r"nearest.*--level-share"):
        build_generator(row, None)


def test_unconditional_has_no_guidance_and_ignores_the_video(corpus, runs):
    data = ShardDataset(corpus["val"])
    generator = registry.load("models", "unconditional").build(BuildContext(checkpoint=runs["unconditional"]))
    assert generator.guidance is None
    one, other = (data.load(i, audio=False) for i in data.clip_ids[:2])
    first, second = (generator.generate([clip], np.random.default_rng(0))[0] for clip in (one, other))
    assert np.array_equal(first, second)


def test_nearest_copies_a_training_sound(corpus, runs):
    train_data, val = ShardDataset(corpus["train"]), ShardDataset(corpus["val"])
    sounds = {train_data.load(i, video=False).audio.tobytes() for i in train_data.clip_ids}
    generator = registry.load("models", "nearest").build(BuildContext(checkpoint=runs["nearest"]))
    for clip in val.clips(audio=False):
        assert generator.generate([clip], np.random.default_rng(0))[0].tobytes() in sounds


def test_steps_of_nearest_are_a_share_of_the_flow_steps_of_its_size(corpus, tmp_path):
    """So that an alignment stage it trains itself is as long as those of the models it is compared with."""
    train("nearest", corpus, tmp_path, asked={"steps": FlowSettings().flow_steps // 10}, vama_steps="40")
    config = json.loads((tmp_path / "alignment" / "config.json").read_text())
    assert config["settings"]["alignment"]["vama_steps"] == 4


def test_nearest_finds_a_training_clip_itself(corpus, runs):
    train_data = ShardDataset(corpus["train"])
    generator = registry.load("models", "nearest").build(BuildContext(checkpoint=runs["nearest"]))
    for clip in itertools.islice(train_data.clips(), 4):
        assert np.array_equal(generator.generate([clip], np.random.default_rng(0))[0], clip.audio)


def test_static_condition_is_the_mean_and_dynamic_is_not(corpus, runs):
    condition = torch.randn(2, 9, 32)
    static = load_foleyflow(runs["foleyflow_static"]).flow
    dynamic = load_foleyflow(runs["foleyflow"]).flow
    assert torch.allclose(static.prepare(condition).std(1), torch.zeros(2, 32), atol=1e-5)
    assert float(dynamic.prepare(condition).std(1).min()) > 0.1
    assert load_foleyflow(runs["foleyflow_dcf"]).flow.settings.path == "linear"


def test_eq4_alone_has_no_other_part_in_its_alignment_stage(monkeypatch, tmp_path):
    """As the command that names its settings one by one, with which the rows of the board were trained."""
    forced = {}
    monkeypatch.setattr(foleyflow_eq4, "train_foleyflow", lambda context, **more: forced.update(more))
    context = TrainContext(data=tmp_path, val=None, out=tmp_path)
    foleyflow_eq4.train(context)
    asked = {"mask_ratio": "0.3"} | dict.fromkeys(
        ("full_mask_p", "change_weight", "level_weight", "attack_weight"), "0"
    )
    wanted, _ = resolve_foleyflow(dataclasses.replace(context, settings=asked))
    assert resolve_foleyflow(context, forced)[0] == wanted
    assert wanted.alignment != resolve_foleyflow(context)[0].alignment
    assert wanted.flow == resolve_foleyflow(context)[0].flow


def test_a_run_leaves_curves_logs_and_the_usage_gap(runs):
    out = runs["foleyflow"]
    for stage in ("alignment", "flow"):
        picture = (out / stage / "curves.png").read_bytes()
        assert picture[:4] == b"\x89PNG"
        assert len(picture) > 5000
    lines = [json.loads(line) for line in (out / "flow" / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 5
    metrics = json.loads((out / "metrics.json").read_text())
    vama = metrics["alignment"]
    assert vama["usage_gap"] == pytest.approx(vama["loss_shuffled"] - vama["loss_true"], abs=1e-5)
    assert len(vama["shift_curve"]) == 9
    assert not list(out.rglob("state.safetensors"))


def test_a_finished_run_is_not_trained_again(corpus, runs):
    before = (runs["foleyflow"] / "model.safetensors").stat().st_mtime_ns
    assert train("foleyflow", corpus, runs["foleyflow"]) == runs["foleyflow"]
    assert (runs["foleyflow"] / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(FoleyError, match="flow_steps"):
        train("foleyflow", corpus, runs["foleyflow"], flow_steps="9")


@pytest.mark.slow
def test_stage_vama_stops_after_the_alignment(corpus, tmp_path):
    assert train("foleyflow", corpus, tmp_path, stage="alignment") == tmp_path / "alignment"
    assert (tmp_path / "alignment" / "model.safetensors").is_file()
    assert not (tmp_path / "config.json").exists()


def test_misuse_is_named(corpus, runs, tmp_path):
    with pytest.raises(UnknownNameError, match="flow_dim"):
        train("foleyflow", corpus, tmp_path, flow_dims="3")
    with pytest.raises(UnknownNameError, match="not a int"):
        train("foleyflow", corpus, tmp_path, nfe="many")
    with pytest.raises(UnknownNameError, match="static"):
        train("foleyflow_static", corpus, tmp_path, condition="dynamic")
    with pytest.raises(UnknownNameError, match="tiny"):
        settings_of({}, size="huge")
    with pytest.raises(FoleyError, match="--checkpoint"):
        registry.load("models", "foleyflow").build(BuildContext())
    with pytest.raises(FoleyError, match="no checkpoint"):
        registry.load("models", "foleyflow").build(BuildContext(checkpoint=tmp_path))
    with pytest.raises(FoleyError, match="nearest"):
        registry.load("models", "foleyflow").build(BuildContext(checkpoint=runs["nearest"]))
    with pytest.raises(FoleyError, match="cells=32"):
        train("foleyflow", corpus, tmp_path / "b", alignment=str(runs["foleyflow"] / "alignment"), cells="8")


def test_without_the_audio_plan_the_video_feature_alone_is_told(corpus, runs, tmp_path):
    source = runs["foleyflow"] / "alignment"
    options = {"alignment": str(source), "stage": "alignment", "audio_plan": "dropped"}
    before, made = load_alignment(source), tmp_path / "stage"
    for _ in range(2):  # as a plan that is run again does
        assert train("foleyflow", corpus, made, **options) == made / "alignment"
    after = load_alignment(made / "alignment")
    frames = torch.randint(0, 256, (1, 25, 32, 32, 6), dtype=torch.uint8)
    (kept, plan), (own, none) = (one.condition(frames, 31).chunk(2, dim=-1) for one in (before, after))
    assert torch.equal(own, kept)
    assert plan.abs().max() > 0.1
    assert not none.any()
    flow = train("foleyflow", corpus, tmp_path / "flow", alignment=str(made / "alignment"))
    assert not load_foleyflow(flow).alignment.condition(frames, 31).chunk(2, dim=-1)[1].any()


def test_only_a_trained_stage_can_be_without_its_audio_plan(corpus, runs, tmp_path):
    source = runs["foleyflow"] / "alignment"
    for wrong in ({"stage": "alignment"}, {"alignment": str(source)}):
        with pytest.raises(FoleyError, match="name it with --set alignment=DIR"):
            train("foleyflow", corpus, tmp_path, audio_plan="dropped", **wrong)
    with pytest.raises(FoleyError, match="would overwrite"):
        train("foleyflow", corpus, source.parent, audio_plan="dropped", stage="alignment", alignment=str(source))


def test_a_broken_checkpoint_is_refused(runs, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((runs["foleyflow"] / name).read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(FoleyError, match="cannot read weights"):
        registry.load("models", "foleyflow").build(BuildContext(checkpoint=tmp_path))


@pytest.mark.parametrize("name", ["foleyflow", "nearest"])
def test_a_checkpoint_of_an_earlier_version_gives_the_same_audio(name, corpus, runs, tmp_path):
    """Its settings had no subjects; those of its alignment network were the settings of the whole run."""
    config = json.loads((runs[name] / "config.json").read_text())
    of_run = {**flat(settings_of({})), **flat_record(config.get("settings", {}))}
    of_run |= flat_record(config["alignment_settings"])
    (tmp_path / "config.json").write_text(json.dumps({**config, "settings": of_run, "alignment_settings": of_run}))
    shutil.copyfile(runs[name] / "model.safetensors", tmp_path / "model.safetensors")
    model, data = registry.load("models", name), ShardDataset(corpus["val"])
    clip = data.load(data.clip_ids[0], audio=False)
    now, then = (
        model.build(BuildContext(checkpoint=folder)).generate([clip], np.random.default_rng(0))[0]
        for folder in (runs[name], tmp_path)
    )
    assert np.array_equal(now, then)


def flat_record(record):
    return {name: value for values in record.values() for name, value in values.items()}


def test_steps_scale_both_stages():
    whole = settings_of({})
    half = settings_of({}, steps=whole.flow.flow_steps // 2)
    assert half.flow.flow_steps == whole.flow.flow_steps // 2
    assert half.alignment.vama_steps == whole.alignment.vama_steps // 2
    assert half.alignment.encoder_steps == whole.alignment.encoder_steps // 2
    assert half.head.head_steps == whole.head.head_steps // 2
    assert half.head.reflow_pairs == whole.head.reflow_pairs // 2
    own = settings_of({"flow_steps": "300"}, steps=100)
    assert (own.flow.flow_steps, own.alignment.vama_steps) == (100, 300)


@pytest.mark.parametrize("name", first_is_fast(["foleyflow", "foleyflow_static", "unconditional", "constant_flow"]))
def test_a_batch_gives_each_clip_what_it_gets_alone(name, corpus, runs):
    assert_same_in_a_batch(name, runs[name], corpus)
