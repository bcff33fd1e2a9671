"""Choose the protocol that fits a data set on this machine.

That is ``synth`` on SynthFoley, elsewhere the richest that can run: of the protocols for any data, the one with most
metrics whose weights are here, and with video or captions where they are needed.
"""

from __future__ import annotations

from typing import NamedTuple

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.api.protocol import Protocol
from foleybench.errors import FoleyError
from foleybench.features.featurise import encoders_of, needs_of
from foleybench.scoring.choice import Choice
from foleybench.scoring.evaluate import looks
from foleybench.scoring.weights_here import cannot_run
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import has_picture

# Only our protocols; those of other toolkits must be asked for by name.
_OFFERED = ("foleybench", "sfx", "signal")


class Fit(NamedTuple):
    """The protocol that fits.

    Attributes:
        protocol: Registry name.
        because: A line with the protocol and the reason.
    """

    protocol: str
    because: str


def fitting(data: ShardDataset, *, captions: bool = False) -> Fit:
    """Choose the protocol for a data set.

    Args:
        data: The data set.
        captions: Whether there are captions beside the data set's own.

    Raises:
        FoleyError: No protocol can run.
    """
    for name in registry.names("protocols"):
        if _load(name).dataset == data.name:
            return Fit(name, f"protocol {name}: made for {data.name}")
    why: list[str] = []
    for name in _OFFERED:
        lacking = _lacking(_load(name), data, captions)
        if not lacking:
            rest = f"; {'; '.join(why)}" if why else ""
            return Fit(name, f"protocol {name}: the richest that runs here{rest}")
        why.append(f"protocol {name} {lacking}")
    raise FoleyError(f"no protocol can run here: {'; '.join(why)}. Name one with --protocol, or metrics with --metric.")


def refuse_other_data(choice: Choice, data: ShardDataset) -> None:
    """Refuse a protocol, or a metric's evaluator, that is made for another data set.

    Raises:
        FoleyError: The protocol or evaluator is made for another data set.
    """
    advice = "Leave --protocol out, or take `--protocol signal`."
    made_for = choice.protocol.dataset
    if made_for not in (None, data.name):
        raise FoleyError(
            f"protocol {choice.protocol_name} is made for the data set {made_for}: its exact events and its small "
            f"evaluators do not apply to {data.name}. {advice}"
        )
    for name, metric in choice.metrics.items():
        trained_on = {encoder.dataset for encoder in encoders_of(needs_of({name: metric})).values()}
        other = sorted(made for made in trained_on if made not in (None, data.name))
        if other:
            raise FoleyError(
                f"metric {name} uses an evaluator made for {other[0]} alone, not for {data.name}. {advice}"
            )


def _lacking(protocol: Protocol, data: ShardDataset, captions: bool) -> str:
    """Return what a protocol lacks here, in a few words; "" when the protocol can run."""
    metrics = {name: registry.load("metrics", name) for name in protocol.metrics}
    n_without = sum(bool(cannot_run(name)) for name in metrics)
    if n_without:
        some = f"{n_without} of its {len(metrics)} metrics"
        return f"needs weights that are not here for {some} (`foleybench doctor` says which)"
    if not has_picture(data.entries()) and any(map(looks, metrics.values())):
        return "needs video"
    captioned = captions or any(entry.label or entry.facts.get("caption") for entry in data.entries())
    if not captioned and any(map(_reads, metrics.values())):
        return "needs captions"
    return ""


def _reads(metric: Metric) -> bool:
    return any(encoder.reads for encoder in encoders_of(needs_of({"": metric})).values())


def _load(name: str) -> Protocol:
    protocol: Protocol = registry.load("protocols", name)
    return protocol
