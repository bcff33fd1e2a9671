"""Probe a condition linearly for onsets, class, and audio.

Objectives of the alignment stage have losses of different units; these probes are the same for all of them. All are
ridge regressions in closed form, fitted on training clips and measured on held-out ones, so they have no randomness.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from foleymodels._parts.ridge import Ridge, fit_ridge
from foleymodels._training.decoded_data import TrainingData

N_FIT = 400
N_MEASURE = 104
_PENALTY = 1e-3
_SMALLEST_SPREAD = 1e-3
SHIFTS_TOKENS = (-15, -8, -4, -2, -1, 0, 1, 2, 4, 8, 15)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Probed:
    """Conditions of some clips with the targets of the probes.

    Attributes:
        conditions: One tensor a clip, (n_tokens, condition_dim).
        tokens: The true mel tokens of each, (n_tokens, token_dim).
        onsets: Whether each token holds an onset, (n_tokens,) each; None where the data set does not know its events.
        labels: Classes.
        token_hz: Tokens per second.
    """

    conditions: Sequence[Tensor]
    tokens: Sequence[Tensor]
    onsets: Sequence[Tensor] | None
    labels: Sequence[str]
    token_hz: float

    @classmethod
    def of(cls, data: TrainingData, indices: Sequence[int], condition: Callable[[int], Tensor]) -> Probed:
        """Collect some clips of a data set; ``condition`` gives the one of a clip."""
        spans = [slice(data.token_offsets[index], data.token_offsets[index + 1]) for index in indices]
        known = all(data.onsets_s[index] is not None for index in indices)
        return cls(
            conditions=[condition(index).float() for index in indices],
            tokens=[torch.from_numpy(data.tokens[span].copy()).float() for span in spans],
            onsets=[data.onset_tokens(index) for index in indices] if known else None,
            labels=[data.labels[index] for index in indices],
            token_hz=data.settings.mel.token_hz,
        )


def evenly_spread(n: int, wanted: int) -> list[int]:
    """Return at most ``wanted`` of ``n`` numbers, evenly spread.

    Example:
        >>> evenly_spread(10, 4), evenly_spread(3, 4)
        ([0, 2, 5, 7], [0, 1, 2])
    """
    return [index * n // min(n, wanted) for index in range(min(n, wanted))]


def probe(fitted: Probed, held_out: Probed) -> dict[str, object]:
    """Fit the probes and measure them.

    Args:
        fitted: Training clips.
        held_out: Held-out clips.

    Returns:
        ``onset_ap``: average precision of the onset probe over tokens (None where events are not known).
        ``class_accuracy``: share of clips whose class is read right from mean and spread of the condition (None without
        classes). ``sound_error``: squared error of the mel tokens read from the condition, over that of the training
        mean; ``sound_error_shuffled``: with the condition of the clip one half of the held-out ones away, which has the
        same class where a split goes through its classes in turn; ``usage_gap``: the difference; ``shift_curve``: the
        error by shift of the condition in seconds.
    """
    n = len(held_out.conditions)
    read = _reader(torch.cat(list(fitted.conditions)), torch.cat(list(fitted.tokens)))
    truth = torch.cat(list(held_out.tokens))
    variance = float((truth - read.mean).square().mean())

    def error(conditions: Sequence[Tensor]) -> float:
        return round(float((read(torch.cat(list(conditions))) - truth).square().mean()) / variance, 6)

    other = [_fitting(held_out.conditions[(i + max(1, n // 2)) % n], len(held_out.tokens[i])) for i in range(n)]
    curve = {
        f"{shift / held_out.token_hz:+.3f}": error([part.roll(shift, dims=0) for part in held_out.conditions])
        for shift in SHIFTS_TOKENS
    }
    aligned, shuffled = error(held_out.conditions), error(other)
    return {
        "n_fitted": len(fitted.conditions),
        "n_clips": n,
        "onset_ap": _onset_ap(fitted, held_out),
        "class_accuracy": _class_accuracy(fitted, held_out),
        "sound_error": aligned,
        "sound_error_shuffled": shuffled,
        "usage_gap": round(shuffled - aligned, 6),
        "shift_curve": curve,
    }


def probe_average_precision(scores: Tensor, marks: Tensor) -> float:
    """Return the area under the precision-recall steps; ``marks`` holds at least one 1.

    Example:
        >>> probe_average_precision(torch.tensor([3.0, 2.0, 1.0]), torch.tensor([1.0, 0.0, 1.0]))
        0.8333333730697632
    """
    ordered = marks[scores.argsort(descending=True, stable=True)]
    precision: Tensor = ordered.cumsum(0) / torch.arange(1, len(ordered) + 1)
    return float((precision * ordered).sum() / ordered.sum())


def _reader(inputs: Tensor, outputs: Tensor) -> Ridge:
    return fit_ridge([(inputs, outputs)], _PENALTY, least_spread=_SMALLEST_SPREAD)


def _onset_ap(fitted: Probed, held_out: Probed) -> float | None:
    if fitted.onsets is None or held_out.onsets is None:
        return None
    marks = torch.cat(list(held_out.onsets))
    if not float(marks.sum()):
        return None
    read = _reader(torch.cat(list(fitted.conditions)), torch.cat(list(fitted.onsets))[:, None])
    return round(probe_average_precision(read(torch.cat(list(held_out.conditions)))[:, 0], marks), 6)


def _class_accuracy(fitted: Probed, held_out: Probed) -> float | None:
    names = sorted(set(fitted.labels))
    if len(names) < 2:
        return None
    wanted = torch.tensor([[float(label == name) for name in names] for label in fitted.labels])
    found = _reader(_summary(fitted), wanted)(_summary(held_out)).argmax(1).tolist()
    right = [names[index] == label for index, label in zip(found, held_out.labels, strict=True)]
    share: float = sum(right) / len(right)
    return round(share, 6)


def _summary(probed: Probed) -> Tensor:
    return torch.stack([torch.cat([part.mean(0), part.std(0)]) for part in probed.conditions])


def _fitting(condition: Tensor, n_tokens: int) -> Tensor:
    """Repeat or cut another clip's condition to a length."""
    return condition[torch.arange(n_tokens) % len(condition)]
