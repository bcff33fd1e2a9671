"""The benchmark that asks whether a trained system uses the video: losses with the right and with other features."""

import json
import sys

import pytest
import torch

from benchmarks import condition_use
from foleymodels._training.conditions import Conditions
from foleymodels.foleygen.system import SYSTEM as FOLEYGEN
from tests.foleymodels.small import train, train_system
from tests.foleymodels.systems.toy_system import TOY


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    return train_system(TOY, corpus, tmp_path_factory.mktemp("use") / "run")


def test_a_system_that_sees_its_condition_has_another_loss_with_other_features(corpus, run):
    crop = Conditions.crop
    found = condition_use.measure(TOY, run, corpus["val"], 3)
    assert len(found) == 3
    assert all(own > 0 and abs(own - other) > 1e-6 for own, other in found)
    assert len({own for own, _ in found}) == 3, "every batch is another"
    assert found == condition_use.measure(TOY, run, corpus["val"], 3)
    assert Conditions.crop is crop


def test_a_system_that_ignores_its_condition_has_the_same_loss(corpus, run, monkeypatch):
    load = type(TOY).load

    def blind(self, folder):
        settings, parts = load(self, folder)
        zeros = {name: torch.zeros_like(value) for name, value in parts["generator"].state_dict().items()}
        parts["generator"].load_state_dict(zeros)
        return settings, parts

    monkeypatch.setattr(type(TOY), "load", blind)
    found = condition_use.measure(TOY, run, corpus["val"], 2)
    assert all(own == other for own, other in found)
    assert not torch.isnan(torch.tensor(found)).any()


def test_the_table_has_a_line_for_every_run(corpus, tmp_path, monkeypatch, capsys):
    out = tmp_path / "foleygen"
    out.mkdir()
    (out / "config.json").write_text(json.dumps({"kind": "foleygen"}))
    assert condition_use.system_of(out) is FOLEYGEN
    monkeypatch.setattr(condition_use, "measure", lambda *asked: [(1.0, 1.1), (1.0, 1.3)])
    monkeypatch.setattr(sys, "argv", ["condition_use", str(corpus["val"]), str(out), str(out)])
    condition_use.main()
    # Differences 0.1 and 0.3: mean 0.2, half of the interval 12.706 * 0.1.
    assert capsys.readouterr().out.splitlines()[2:] == ["| foleygen | 1.0000 | 1.2000 | +20.0 % ± 127.1 |"] * 2


def test_foley_flow_has_another_loss_with_other_features(corpus, tmp_path):
    run = train("foleyflow", corpus, tmp_path / "run")
    assert condition_use.system_of(run) is None
    found = condition_use.measure_foleyflow(run, corpus["val"], 3)
    assert len({own for own, _ in found}) == 3, "every batch is another"
    assert all(own > 0 and abs(own - other) > 1e-7 for own, other in found)
