"""What every protocol owes: metrics that exist, axes that mean something, features that encoders make."""

import pytest

from foleybench import registry
from foleybench.api.protocol import Protocol

NAMES = registry.names("protocols")
AXES = {"timing", "semantics", "quality", "speed"}
# Other toolkits as they compute, and the quantity that each is quoted for.
PRESETS = {
    "audiocraft": "FAD (VGGish)",
    "audioldm_eval": "KLD (PANNs)",
    "avbench": "IS (PANNs)",
    "diff_foley": "Align Acc (Diff-Foley)",
    "fadtk": "KAD (PANNs)",
    "stable_audio": "KLD (PaSST)",
}


@pytest.mark.parametrize("name", NAMES)
def test_card(name):
    protocol = registry.load("protocols", name)
    assert isinstance(protocol, Protocol)
    assert protocol.title
    assert protocol.version >= 1
    assert len(protocol.description) > 40
    assert protocol.metrics
    assert len(set(protocol.metrics)) == len(protocol.metrics)
    assert set(protocol.metrics) <= set(registry.names("metrics"))
    assert set(protocol.headline) <= AXES
    assert set(protocol.headline.values()) <= set(protocol.metrics)
    assert set(protocol.quotes.values()) <= set(protocol.metrics)
    assert protocol.length_tolerance_s >= 0
    assert protocol.silence_db < 0


def encoders_of(name):
    metrics = [registry.load("metrics", metric) for metric in registry.load("protocols", name).metrics]
    return {need.encoder for metric in metrics for need in metric.needs.values()}


def test_mini_and_published_evaluators_share_no_protocol():
    mini = {name for name in NAMES if encoders_of(name) & {"mini_class", "mini_align"}}
    published = {name for name in NAMES if encoders_of(name) & {"passt", "vggish", "panns_16k"}}
    assert "synth" in mini
    assert {"foleybench", "paper", "avbench"} <= published
    assert not mini & published


def test_signal_needs_no_weights():
    encoders = encoders_of("signal")
    assert {"onsets", "envelope", "logmel"} <= encoders
    assert all(registry.load("encoders", encoder).weights is None for encoder in encoders)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_of_other_toolkits_say_what_is_wrong_with_them(name):
    protocol = registry.load("protocols", name)
    assert "faulty" in protocol.description
    assert "Here " in protocol.description
    assert PRESETS[name] in protocol.quotes


def test_a_quantity_has_the_name_of_its_network():
    """So that numbers of different networks never stand in one column of the spread."""
    assert sum(len(registry.load("protocols", name).quotes) for name in NAMES) > 20
    for name in NAMES:
        for quantity, metric in registry.load("protocols", name).quotes.items():
            encoders = {need.encoder for need in registry.load("metrics", metric).needs.values()}
            network = quantity.partition("(")[2].rstrip(")").lower().replace("-", "_")
            assert any(encoder.startswith(network) for encoder in encoders), (name, quantity)
