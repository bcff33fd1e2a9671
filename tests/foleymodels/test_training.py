import json

import pytest
import torch

from foleybench.errors import FoleyError
from foleymodels._training import LoopSettings, batch_indices, fit, learning_rate
from tests.foleymodels.small import figures

SETTINGS = LoopSettings(steps=12, learning_rate=0.01, save_every_s=0.0, log_every=2)


class KilledError(Exception):
    pass


def run(folder, settings=SETTINGS, die_at=None, seed=0, drawn=False):
    torch.manual_seed(5)
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    x = torch.randn(20, 4)

    def losses(step, generator):
        if step == die_at:
            raise KilledError
        batch = x[batch_indices(20, 6, step, seed)]
        return {"loss": ((module(batch) - torch.randn(6, 2, generator=generator)) ** 2).mean()}

    with figures(drawn):
        return fit(module, losses, settings, folder, seed=seed, name="test")


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
        run(tmp_path, settings=LoopSettings(steps=13, learning_rate=0.01))


def test_a_truncated_state_is_named(tmp_path):
    run(tmp_path)
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(FoleyError, match=r"state\.safetensors"):
        run(tmp_path)


def test_the_log_has_the_first_and_the_last_step(tmp_path):
    run(tmp_path)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [0, 2, 4, 6, 8, 10, 11]


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    module = torch.nn.Linear(1, 1)

    def losses(step, generator):
        return {"loss": module(torch.ones(1, 1)).sum() * float("nan")}

    with pytest.raises(FoleyError, match="unstable at step 0"):
        fit(module, losses, SETTINGS, tmp_path, seed=0, name="test")


def test_every_epoch_visits_every_item_once():
    seen = torch.cat([batch_indices(10, 4, step, seed=3) for step in range(5)])
    assert sorted(seen[:10].tolist()) == list(range(10))
    assert sorted(seen[10:].tolist()) == list(range(10))
    assert seen[:10].tolist() != seen[10:].tolist()


def test_learning_rate_rises_then_falls():
    settings = LoopSettings(steps=100, learning_rate=1.0, warmup_steps=10)
    rates = [learning_rate(step, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) in (9, 10)
    assert rates[-1] < 0.02
