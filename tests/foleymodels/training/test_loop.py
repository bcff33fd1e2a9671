import dataclasses
import json

import pytest
import safetensors.torch
import torch

from foleybench.errors import FoleyError
from foleymodels._training.data_parallel import share
from foleymodels._training.loop import Monitor, batch_indices, fit, outcome, rest_s
from foleymodels._training.optimisers import FitSettings, learning_rate
from tests.foleymodels.small import figures

SETTINGS = FitSettings(steps=12, learning_rate=0.01, save_every_s=0.0, log_every=2)


class KilledError(Exception):
    pass


def run(folder, settings=SETTINGS, die_at=None, seed=0, drawn=False, monitor=None):
    torch.manual_seed(5)
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    x = torch.randn(20, 4)

    def losses(step, generator):
        if step == die_at:
            raise KilledError
        batch = x[batch_indices(20, 6, step, seed)]
        return {"loss": ((module(batch) - torch.randn(6, 2, generator=generator)) ** 2).mean()}

    with figures(drawn):
        return fit(module, losses, settings, folder, seed=seed, name="test", monitor=monitor)


def fit_shared(folder, asked=None, **more):
    """Train with a loss that takes its share of the rows, as those of the stages do; ``asked`` gets the rows."""
    torch.manual_seed(5)
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    x = torch.randn(20, 4)

    def losses(step, generator):
        rows = share().rows(batch_indices(20, 6, step, 0))
        noise = share().rows(torch.randn(6, 2, generator=generator))
        if asked is not None:
            asked.append(rows.tolist())
        return {"loss": ((module(x[rows]) - noise) ** 2).mean(), "rows": rows.sum()}

    settings = dataclasses.replace(SETTINGS, **more)
    with figures(False):
        return fit(module, losses, settings, folder, seed=0, name="test")


@pytest.mark.parametrize("parts", [2, 3, 6])
def test_a_batch_in_parts_trains_what_the_whole_trains(tmp_path, parts):
    asked = []
    whole = fit_shared(tmp_path / "whole")
    split = fit_shared(tmp_path / "split", asked, micro_batches=parts)
    assert not all(torch.equal(whole[name], split[name]) for name in whole)  # rounding, of other sums
    for name, value in whole.items():
        torch.testing.assert_close(split[name], value, atol=2e-6, rtol=1e-5)
    assert len(asked) == parts * SETTINGS.steps
    assert [row for part in asked[:parts] for row in part] == batch_indices(20, 6, 0, 0).tolist()
    one, other = (outcome(tmp_path / name) for name in ("whole", "split"))
    assert other["loss"] == pytest.approx(one["loss"], abs=2e-6)
    assert other["gradient_norm"] == pytest.approx(one["gradient_norm"], abs=2e-5)
    assert other["rows"] == pytest.approx(one["rows"] / parts)


def test_a_run_may_go_on_with_more_parts(tmp_path):
    whole = fit_shared(tmp_path / "whole")
    fit_shared(tmp_path / "run", steps=12)
    again = fit_shared(tmp_path / "run", steps=12, micro_batches=3)  # finished: the state is accepted as it is
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_what_cannot_be_cut_is_refused(tmp_path):
    with pytest.raises(FoleyError, match=r"batch of 6 cannot be shared by 1 processes x 4 micro_batches"):
        fit_shared(tmp_path / "a", micro_batches=4)
    with pytest.raises(FoleyError, match="micro_batches=0 is out of range"):
        fit_shared(tmp_path / "b", micro_batches=0)
    module = torch.nn.Linear(2, 1)

    def contrasted(step, generator):
        return {"loss": share().gathered(module(torch.ones(2, 2))).mean()}

    with pytest.raises(FoleyError, match="this stage uses all clips of a batch at once"):
        fit(module, contrasted, dataclasses.replace(SETTINGS, micro_batches=2), tmp_path / "c", seed=0, name="test")


@pytest.mark.parametrize("die_at", [1, 5, 11])
def test_a_killed_run_ends_with_the_same_bits(tmp_path, die_at):
    drawn = die_at == 5
    whole = run(tmp_path / "whole", drawn=drawn)
    with pytest.raises(KilledError):
        run(tmp_path / "broken", die_at=die_at)
    resumed = run(tmp_path / "broken", drawn=drawn)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    for name in ("state.safetensors", "log.jsonl", "curves.png"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "broken" / name).read_bytes()


def test_another_seed_gives_other_weights(tmp_path):
    one, other = run(tmp_path / "a"), run(tmp_path / "b", seed=1)
    assert not torch.equal(one["0.weight"], other["0.weight"])


def test_state_of_other_settings_is_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(FoleyError, match="other settings"):
        run(tmp_path, settings=FitSettings(steps=13, learning_rate=0.01))


def test_a_truncated_state_is_named(tmp_path):
    run(tmp_path)
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(FoleyError, match=r"state\.safetensors is broken.*ends with the same weights"):
        run(tmp_path)


def test_the_log_has_the_first_and_the_last_step(tmp_path):
    run(tmp_path)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [0, 2, 4, 6, 8, 10, 11]


def poisoned(folder, bad, die_at=None, settings=SETTINGS):
    """Train a small network whose loss is not finite at some steps."""
    torch.manual_seed(5)
    module = torch.nn.Linear(3, 1)

    def losses(step, generator):
        if step == die_at:
            raise KilledError
        value = module(torch.randn(4, 3, generator=generator)).square().mean()
        return {"loss": value * float("inf" if step in bad else 1)}

    with figures(False):
        return fit(module, losses, settings, folder, seed=0, name="test")


def test_a_bad_step_is_left_out_counted_and_told(tmp_path, capsys):
    bad = {2, 3, 7}
    weights = poisoned(tmp_path, bad)
    assert all(bool(value.isfinite().all()) for value in weights.values())
    told = [line for line in capsys.readouterr().err.splitlines() if "is left out" in line]
    assert [int(line.split()[1]) for line in told] == sorted(bad)
    found = outcome(tmp_path)
    assert (found["step"], found["skipped_steps"]) == (11, 3)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {line["step"] for line in lines if "skipped" in line} == bad
    assert all(line["loss"] < 100 for line in lines if "skipped" not in line)


def test_bad_steps_do_not_break_going_on(tmp_path):
    bad = {2, 3, 7}
    whole = poisoned(tmp_path / "whole", bad)
    with pytest.raises(KilledError):
        poisoned(tmp_path / "broken", bad, die_at=3)
    again = poisoned(tmp_path / "broken", bad)
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert (tmp_path / "whole/state.safetensors").read_bytes() == (tmp_path / "broken/state.safetensors").read_bytes()


def test_many_bad_steps_in_a_row_stop_the_run_also_across_a_restart(tmp_path):
    settings = dataclasses.replace(SETTINGS, most_bad_steps=4)
    poisoned(tmp_path / "three", {5, 6, 7, 9, 10, 11}, settings=settings)
    with pytest.raises(KilledError):
        poisoned(tmp_path / "four", {5, 6, 7, 8}, die_at=7, settings=settings)
    with pytest.raises(FoleyError, match=r"4 steps in a row, up to step 8.*learning rate \(it is 0.01\)"):
        poisoned(tmp_path / "four", {5, 6, 7, 8}, settings=settings)


def test_another_file_in_place_of_the_state_is_named(tmp_path):
    run(tmp_path)
    (tmp_path / "state.safetensors").write_bytes(safetensors.torch.save({"x": torch.zeros(1)}))
    with pytest.raises(FoleyError, match=r"state\.safetensors is broken"):
        run(tmp_path)


def test_state_of_a_version_without_the_newer_settings_goes_on(tmp_path):
    with pytest.raises(KilledError):
        run(tmp_path, die_at=5)
    with safetensors.safe_open(tmp_path / "state.safetensors", framework="pt") as handle:
        header = json.loads(handle.metadata()["run"])
    earlier = {"steps", "learning_rate", "warmup_steps", "weight_decay", "clip_norm", "ema_decay", "log_every"}
    assert set(json.loads(header["fingerprint"])["settings"]) == earlier
    with pytest.raises(FoleyError, match="other settings"):
        run(tmp_path, settings=dataclasses.replace(SETTINGS, optimiser="adam"))


def test_bfloat16_learns_the_same_within_its_precision_and_goes_on(tmp_path):
    settings = dataclasses.replace(SETTINGS, precision="bfloat16")
    exact, rough = run(tmp_path / "exact"), run(tmp_path / "rough", settings)
    assert all(value.dtype == torch.float32 for value in rough.values())
    assert any(not torch.equal(exact[name], rough[name]) for name in exact)
    assert all(torch.allclose(exact[name], rough[name], atol=0.02) for name in exact)
    with pytest.raises(KilledError):
        run(tmp_path / "broken", settings, die_at=7)
    again = run(tmp_path / "broken", settings)
    assert all(torch.equal(rough[name], again[name]) for name in rough)


def test_adam_is_the_published_one_at_a_constant_rate(tmp_path):
    settings = FitSettings(steps=3, learning_rate=0.01, optimiser="adam", schedule="constant", clip_norm=1e9)
    assert {learning_rate(step, settings) for step in range(3)} == {0.01}
    module, twin = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    twin.load_state_dict(module.state_dict())
    x = torch.tensor([[1.0, -2.0]])
    with figures(False):
        fit(module, lambda step, generator: {"loss": module(x).square().sum()}, settings, tmp_path, seed=0, name="t")
    published = torch.optim.Adam(twin.parameters(), lr=0.01)
    for _ in range(3):
        published.zero_grad()
        twin(x).square().sum().backward()
        published.step()
    assert torch.equal(module.weight, twin.weight)


def test_tensorboard_has_every_logged_point_once_also_after_a_restart(tmp_path):
    pytest.importorskip("tensorboard", reason="needs the extra `train`")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with pytest.raises(KilledError):
        run(tmp_path, die_at=7, monitor=Monitor(tensorboard=True))
    run(tmp_path, monitor=Monitor(tensorboard=True))
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [point.step for point in events.Scalars("loss")] == [0, 2, 4, 6, 8, 10, 11]
    logged = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [point.value for point in events.Scalars("loss")] == pytest.approx(logged)


def test_samples_are_asked_for_every_so_many_steps_and_change_nothing(tmp_path):
    asked = []
    monitor = Monitor(sample_every=5, sample=lambda step, weights: asked.append((step, sorted(weights))))
    monitored = run(tmp_path / "monitored", monitor=monitor)
    plain = run(tmp_path / "plain")
    assert [step for step, _ in asked] == [5, 10]
    assert asked[0][1] == sorted(plain)
    assert all(torch.equal(plain[name], monitored[name]) for name in plain)


def test_states_that_take_long_to_write_are_written_less_often():
    assert rest_s(0.5, 20.0) == rest_s(1.0, 20.0) == 20.0
    assert rest_s(4.0, 20.0) == 80.0
    assert rest_s(4.0, 100.0) == 100.0


def test_every_epoch_visits_every_item_once():
    seen = torch.cat([batch_indices(10, 4, step, seed=3) for step in range(5)])
    assert sorted(seen[:10].tolist()) == list(range(10))
    assert sorted(seen[10:].tolist()) == list(range(10))
    assert seen[:10].tolist() != seen[10:].tolist()


def test_learning_rate_rises_then_falls():
    settings = FitSettings(steps=100, learning_rate=1.0, warmup_steps=10)
    rates = [learning_rate(step, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) in (9, 10)
    assert rates[-1] < 0.02
