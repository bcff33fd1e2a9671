"""The search of settings: another learning rate goes with the parts that a try takes from other runs."""

import importlib

import pytest

from foleybench.reproduce import search
from foleymodels._parts.settings import of_size
from tests.foleymodels.small import train, train_system
from tests.foleymodels.systems.test_masked_systems import SMALLER

TRIES = {tries[0].variant.model: tries for tries in search.tries().values()}


def trained(name, corpus, out, **settings):
    if name == "foleyflow":
        return train(name, corpus, out, **settings)
    system = importlib.import_module(f"foleymodels.{name}.system").SYSTEM
    net = getattr(of_size(system.settings, "tiny"), "net", None)
    smaller = {key: text for key, text in SMALLER.items() if hasattr(net, key)}
    return train_system(system, corpus, out, **{**smaller, **settings})


@pytest.mark.slow
@pytest.mark.parametrize("name", TRIES)
def test_a_try_of_the_rate_takes_its_parts(name, corpus, tmp_path):
    """A part that was trained with the rate as well cannot be taken, which a plan finds out after hours."""
    default, rate = TRIES[name][0], TRIES[name][1]
    first = trained(name, corpus, tmp_path / "default")
    changed = dict(set(rate.variant.settings.items()) - set(default.variant.settings.items()))
    assert changed
    taken = {part: str(first / part) for part in rate.variant.takes}
    again = trained(name, corpus, tmp_path / "rate", **changed, **taken)
    assert (again / "model.safetensors").read_bytes() != (first / "model.safetensors").read_bytes()
