"""What the stages of a run share: data, crops, how they are fitted, what a finished run is."""

import dataclasses
import types

import pytest
import torch

from foleybench.api.model import TrainContext
from foleybench.errors import FoleyError
from foleymodels._flow.system import FlowSystemSettings
from foleymodels._parts.settings import of_size, replaced
from foleymodels._training import job as jobs
from foleymodels._training import stopwatch
from foleymodels._training.decoded_data import cache_settings
from foleymodels._training.job import Job, is_finished, save_checkpoint
from foleymodels._training.loop import batch_indices, seeded
from foleymodels._training.settings import LoopSettings, RunOptions
from tests.foleymodels.small import figures, small_settings

SETTINGS = replaced(of_size(FlowSystemSettings, "tiny"), precision="float32")


@pytest.fixture
def context(corpus, tmp_path):
    return TrainContext(data=corpus["train"], val=corpus["val"], out=tmp_path / "run", seed=3, sample_every=2)


def start(context, **options):
    wanted = cache_settings(small_settings().signal)
    return Job.start(context, LoopSettings(precision="float32"), RunOptions(jobs=1, **options), wanted)


def test_data_are_those_of_the_splits_and_training_data_stand_for_no_validation(context, tmp_path):
    both = start(context, cache=str(tmp_path / "cache"))
    assert (len(both.data), len(both.val)) == (8, 4)
    assert both.data.folder.parent == tmp_path / "cache"
    alone = start(dataclasses.replace(context, val=None), cache=str(tmp_path / "cache"))
    assert alone.val is alone.data
    assert alone.data.folder == both.data.folder


def test_crops_are_of_the_batch_of_the_seed_and_start_anywhere(context):
    job = start(context)
    drawn = [job.draw_crops(4, 10, step, torch.Generator().manual_seed(step)) for step in range(20)]
    for step, (indices, starts) in enumerate(drawn):
        assert torch.equal(indices, batch_indices(8, 4, step, seed=3))
        assert starts.shape == (4,)
    assert {int(start) for _, starts in drawn for start in starts} == set(range(7))  # 40 tokens, 5 a unit, 10 long


def test_a_stage_is_fitted_as_the_run_says(context, monkeypatch):
    asked = {}

    def fit(module, losses, settings, folder, **more):
        asked.update(dataclasses.asdict(settings), folder=folder, **more)
        return {name: torch.full_like(value, 7.0) for name, value in module.state_dict().items()}

    monkeypatch.setattr(jobs, "fit", fit)
    loop = LoopSettings(optimiser="adam", schedule="constant", precision="bfloat16")
    job = dataclasses.replace(start(context, save_every_s=5.0, micro_batches=2), loop=loop)
    module = torch.nn.Linear(2, 1)
    facts = job.fit(module, lambda step, generator: {}, "part", steps=9, rate=0.5, ema=0.25, name="a part")
    assert (asked["steps"], asked["learning_rate"], asked["ema_decay"], asked["save_every_s"]) == (9, 0.5, 0.25, 5.0)
    assert asked["micro_batches"] == 2
    assert (asked["optimiser"], asked["schedule"], asked["precision"]) == ("adam", "constant", "bfloat16")
    assert (asked["folder"], asked["seed"], asked["name"]) == (context.out / "part", 3, "a part")
    assert float(module.weight.detach().mean()) == 7.0  # the averaged weights are left in the module
    assert facts.keys() == {"skipped_steps", "seconds", "cpu_seconds", "steps", "rate"}
    elsewhere = torch.nn.Linear(2, 1, device="meta")  # a device that is there without a GPU
    facts = job.fit(elsewhere, lambda step, generator: {}, "part", steps=9, rate=0.5, ema=0.25, name="a part")
    assert (facts["device"], facts["precision"]) == ("meta", "bfloat16")
    assert asked["other_rates"] == ()
    facts = job.fit(
        module,
        lambda step, generator: {},
        "part",
        steps=9,
        rate=0.5,
        ema=0.25,
        name="a part",
        other_rates=(("weight", 2.0),),
    )
    assert asked["other_rates"] == (("weight", 2.0),)
    assert (facts["steps"], facts["rate"], facts["rate_weight"]) == (9, 0.5, 2.0)


class KilledError(Exception):
    pass


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves only by what is added to it; the processor works for three seconds of ten."""
    found = types.SimpleNamespace(now=1000.0)
    fake = types.SimpleNamespace(monotonic=lambda: found.now, process_time=lambda: 0.3 * found.now + 7.0)
    monkeypatch.setattr(stopwatch, "time", fake)
    return found


def fitted(context, clock, die_at=None):
    """Fit six steps of 10 seconds each, with the state saved at every one; return what is reported."""
    module = seeded(lambda: torch.nn.Linear(2, 1), 0)

    def losses(step, generator):
        if step == die_at:
            raise KilledError
        clock.now += 10.0
        return {"loss": module(torch.randn(4, 2, generator=generator)).square().mean()}

    with figures(False):
        job = start(context, save_every_s=-1.0)
        facts = job.fit(module, losses, "part", steps=6, rate=0.01, ema=0.9, name="a part")
    return facts, module.weight


def test_seconds_are_those_of_all_processes_and_the_weights_do_not_know(context, clock, tmp_path):
    whole, weight = fitted(dataclasses.replace(context, out=tmp_path / "whole"), clock)
    assert (whole["seconds"], whole["cpu_seconds"]) == (60.0, 18.0)
    for die_at in (2, 5):
        with pytest.raises(KilledError):
            fitted(context, clock, die_at)
        clock.now += 500.0  # between the processes
    resumed, again = fitted(context, clock)
    assert resumed == whole
    assert torch.equal(weight, again)
    state = context.out / "part" / "state.safetensors"
    assert state.read_bytes() == (tmp_path / "whole" / "part" / state.name).read_bytes()
    assert fitted(context, clock)[0]["seconds"] == 60.0, "no step is left: nothing is added"


def test_seconds_without_their_state_are_not_counted_and_a_broken_file_is_named(context, clock):
    with pytest.raises(KilledError):
        fitted(context, clock, 3)
    seconds, state = (context.out / "part" / name for name in ("seconds.json", "state.safetensors"))
    for broken in ("soon\n", '{"seconds":30.0}\n', '{"cpu_seconds":1.0,"seconds":-1.0}\n'):
        seconds.write_text(broken)
        with pytest.raises(FoleyError, match=r"seconds\.json.*Delete that file"):
            fitted(context, clock)
    seconds.unlink()  # as the message advises
    assert fitted(context, clock)[0]["seconds"] == 30.0
    state.unlink()  # as the message of a broken state advises
    assert fitted(context, clock)[0]["seconds"] == 60.0


def test_processor_seconds_are_not_told_where_an_earlier_version_did_not_count_them(context, clock):
    with pytest.raises(KilledError):
        fitted(context, clock, 3)
    (context.out / "part" / "seconds.json").write_text("30.0\n")
    with pytest.raises(KilledError):
        fitted(context, clock, 5)
    facts = fitted(context, clock)[0]
    assert facts["seconds"] == 60.0
    assert "cpu_seconds" not in facts


def test_samples_are_of_the_validation_split(context):
    def ids(job):
        return job.monitor(lambda weights: None, SETTINGS.signal.mel).sample._data.path

    assert ids(start(context)) == context.val
    assert ids(start(dataclasses.replace(context, val=None))) == context.data
    silent = start(dataclasses.replace(context, sample_every=0))
    assert silent.monitor(lambda weights: None, SETTINGS.signal.mel).sample is None


def test_a_run_is_finished_with_its_settings_its_seed_and_its_data_only(context, corpus):
    assert not is_finished(context, "toy", SETTINGS)
    state = context.out / "flow" / "state.safetensors"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"")
    state.with_name("seconds.json").write_bytes(b"1.5")
    save_checkpoint(context.out, "toy", SETTINGS, {"x": torch.zeros(1)}, context, "flow")
    assert not list(state.parent.iterdir())
    assert is_finished(context, "toy", SETTINGS)
    for changed, name in (
        ((context, replaced(SETTINGS, flow_dim=8)), "another flow_dim"),
        ((dataclasses.replace(context, seed=4), SETTINGS), "another seed"),
        ((dataclasses.replace(context, data=corpus["val"]), SETTINGS), "another data_sha256"),
    ):
        with pytest.raises(FoleyError, match=name):
            is_finished(changed[0], "toy", changed[1])
    with pytest.raises(FoleyError, match="checkpoint of 'toy'"):
        is_finished(context, "other", SETTINGS)
