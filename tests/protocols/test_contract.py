"""What every protocol owes: metrics that exist, axes that mean something, features that encoders make."""

import pytest

from foleybench import registry
from foleybench.api.protocol import Protocol

NAMES = registry.names("protocols")
AXES = {"timing", "semantics", "quality", "speed"}


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


def test_mini_and_published_evaluators_share_no_protocol():
    for name in NAMES:
        encoders = {
            need.encoder
            for metric in registry.load("protocols", name).metrics
            for need in registry.load("metrics", metric).needs.values()
        }
        assert not (encoders & {"mini_class", "mini_align"} and encoders & {"passt", "vggish", "panns_16k"})


def test_signal_needs_no_weights():
    for metric in registry.load("protocols", "signal").metrics:
        for need in registry.load("metrics", metric).needs.values():
            assert registry.load("encoders", need.encoder).weights is None


def test_presets_of_other_toolkits_say_what_is_wrong_with_them():
    for name in {"avbench", "audioldm_eval", "audiocraft", "stable_audio", "diff_foley", "fadtk"} & set(NAMES):
        description = registry.load("protocols", name).description
        assert "faulty" in description
        assert "Here " in description


def test_a_quantity_has_the_name_of_its_network():
    """So that numbers of different networks never stand in one column of the spread."""
    for name in NAMES:
        for quantity, metric in registry.load("protocols", name).quotes.items():
            encoders = {need.encoder for need in registry.load("metrics", metric).needs.values()}
            network = quantity.partition("(")[2].rstrip(")").lower().replace("-", "_")
            assert any(encoder.startswith(network) for encoder in encoders), (name, quantity)
