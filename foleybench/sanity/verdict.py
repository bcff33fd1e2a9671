"""Judge a curve: seen, out of order, blind, or rewarded.

The rule, for one metric and one degradation. A step is *told apart* when the paired 95 % interval of the difference to
the real audio lies wholly on the worse side of 0. The degradation is **seen** from the mildest step on from which every
stronger step is told apart, too. It is **in order** when no step is better than the step before by more than the
half-width of its own paired interval. It is **rewarded** when the interval of the strongest step lies wholly on the
better side. Everything else is **blind**. At 95 % one blind metric in forty is called seen or rewarded by chance. *Told
apart* says nothing of size: clips are compared in pairs, so a tiny change that every clip shares is seen; the plot
shows how large it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from foleybench.sanity.run import CurvePoint

Kind = Literal["seen", "blind", "rewarded", "undefined"]


class CurveVerdict(NamedTuple):
    """The verdict on one metric at one degradation.

    Attributes:
        kind: ``seen``, ``blind`` or ``rewarded``, by the rule of the module.
        since: The mildest level from which on the degradation is seen, or None.
        ordered: Whether the steps are in order.
    """

    kind: Kind
    since: float | None
    ordered: bool

    def words(self, unit: str) -> str:
        """Return the verdict for a table.

        Example:
            >>> CurveVerdict("seen", 20.0, False).words("dB SNR")
            'from 20 dB SNR, not in order'
        """
        if self.kind == "seen":
            return f"from {self.since:g} {unit}" + ("" if self.ordered else ", not in order")
        return self.kind


def judge_curve(points: Sequence[CurvePoint]) -> CurveVerdict:
    """Return the verdict on a curve: the real audio, then the steps from mild to strong.

    Example:
        >>> truth, mild, strong = (CurvePoint(x, x, None, None, x, x - 1.0, x + 1.0) for x in (0.0, 0.5, 3.0))
        >>> judge_curve([truth, mild, strong])
        CurveVerdict(kind='seen', since=3.0, ordered=True)
    """
    steps = points[1:]
    if not steps or any(math.isnan(point.worse) for point in steps):
        return CurveVerdict("undefined", None, False)
    since = None
    for point in reversed(steps):
        if point.worse_low is None or point.worse_low <= 0:
            break
        since = point.level
    ordered = all(_not_better(after, before) for before, after in zip(points, steps, strict=False))
    if since is not None:
        return CurveVerdict("seen", since, ordered)
    strongest = steps[-1].worse_high
    return CurveVerdict("rewarded" if strongest is not None and strongest < 0 else "blind", None, ordered)


def _not_better(after: CurvePoint, before: CurvePoint) -> bool:
    width = (after.worse_high or 0.0) - (after.worse_low or 0.0)
    return after.worse >= before.worse - width / 2


# The degradations that each family of metrics is for: on these its values must be in order.
OWN: Mapping[str, tuple[str, ...]] = {
    "event_": ("shift",),
    "onset_": ("shift",),
    "align_": ("shift",),
    "av_align": ("shift",),
    "desync": ("shift",),
    "class_": ("class_swap",),
    "material_": ("shuffled",),
    "kld_": ("class_swap",),
    "kl_": ("class_swap",),
    "clap": ("class_swap",),
    "imagebind": ("class_swap",),
    "pe_av": ("class_swap",),
    "fad_": ("noise", "low_pass"),
    "fd_": ("noise", "low_pass"),
    "kad_": ("noise", "low_pass"),
    "is_": ("noise",),
    "level_difference": ("gain",),
    "level_correlation": ("shift",),
    "loudness_": ("gain",),
    "spectral_": ("low_pass",),
    "rolloff_": ("low_pass",),
    "bandwidth_": ("low_pass",),
    # Its card says that it cannot notice clipping that was then made quieter ("clipping").
    "clipping_": ("overdrive",),
    "silence_": ("drop_outs",),
    "logmel_": ("noise", "low_pass"),
    "mel_profile_": ("low_pass", "noise"),
    "similarity_": ("noise", "low_pass"),
    "retrieval_": ("shuffled",),
    "stereo_width": ("narrowed",),
    "stereo_correlation": ("narrowed",),
    "stereo_": ("sides_swapped",),
    "aesthetics_": ("noise", "low_pass"),
    "source_recall": ("shift",),
    "strength_": ("shuffled",),
    "pitch_": ("shuffled",),
}
# No degradation of true audio makes a copy of training audio: their tests paste copies.
WITHOUT_OWN = frozenset({"copying_share"})


def own(metric: str) -> tuple[str, ...]:
    """Return the degradations that a metric is for; none for a family without an entry."""
    return next((found for start, found in OWN.items() if metric.startswith(start)), ())
