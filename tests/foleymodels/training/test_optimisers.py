"""Groups of parameters: by rate, and by weight decay."""

import json

import pytest
import torch

from foleymodels._training.loop import fit
from foleymodels._training.optimisers import FitSettings, learning_rate, optimiser_of
from tests.foleymodels.small import figures


class Two(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)


def found(module, settings):
    names = {id(value): name for name, value in module.named_parameters()}
    return [
        (group["peak"], group["weight_decay"], [names[id(value)] for value in group["params"]])
        for group in optimiser_of(module, settings).param_groups
    ]


def test_every_part_has_its_rate_and_matrices_alone_decay():
    settings = FitSettings(steps=5, learning_rate=2e-3, other_rates=(("first", 3e-3),))
    assert found(Two(), settings) == [
        (1.0, 0.01, ["second.weight"]),
        (1.0, 0.0, ["second.bias"]),
        (1.5, 0.01, ["first.weight"]),
        (1.5, 0.0, ["first.bias"]),
    ]
    adam = FitSettings(steps=5, learning_rate=2e-3, optimiser="adam", other_rates=(("first", 3e-3),))
    assert found(Two(), adam) == [
        (1.0, 0.0, ["second.weight", "second.bias"]),
        (1.5, 0.0, ["first.weight", "first.bias"]),
    ]


def test_a_part_without_parameters_is_refused():
    with pytest.raises(ValueError, match="'firs'"):
        optimiser_of(Two(), FitSettings(steps=5, learning_rate=1.0, other_rates=(("firs", 1.0),)))


@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_steps_are_taken_at_each_parts_rate(optimiser, tmp_path, monkeypatch):
    """A first step of Adam moves every parameter by its rate, whatever the gradient."""
    module = Two()
    before = {name: value.detach().clone() for name, value in module.named_parameters()}
    settings = FitSettings(
        steps=1, learning_rate=0.002, weight_decay=0.0, schedule="constant", optimiser=optimiser,
        other_rates=(("first", 0.003),),
    )  # fmt: skip

    def losses(step, generator):
        return {"loss": module.second(module.first(torch.ones(1, 2))).sum() + module.first.bias.sum()}

    with figures(False):
        fit(module, losses, settings, tmp_path, seed=0, name="test")
    for name, value in module.named_parameters():
        moved = (value.detach() - before[name]).abs()
        torch.testing.assert_close(
            moved, torch.full_like(moved, 0.003 if "first" in name else 0.002), rtol=1e-3, atol=0
        )


def test_a_run_of_an_earlier_version_goes_on(tmp_path):
    """What was no setting yet is left out of a run's fingerprint; a rate of a part's own is in it."""
    from foleymodels._training.loop import Monitor, _Run

    def fingerprint(**more):
        run = _Run(Two(), FitSettings(steps=1, learning_rate=1.0, **more), tmp_path, 0, Monitor(), writes=False)
        return json.loads(run._fingerprint)["settings"]

    assert "other_rates" not in fingerprint()
    assert fingerprint(other_rates=(("first", 0.5),))["other_rates"] == [["first", 0.5]]


def test_the_schedule_is_of_the_main_rate():
    settings = FitSettings(steps=100, learning_rate=2.0, other_rates=(("first", 3.0),))
    assert learning_rate(9, settings) == pytest.approx(2.0)
