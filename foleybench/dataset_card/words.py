"""Write a split's figures as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from foleybench.dataset_card.counts import MEASURED, Overview
from foleybench.files import canonical_json

_MOST_LABELS = 40
_MOST_COUNTS = 10
_MOST_REASONS = 30
_MOST_IDS = 5
_MOST_SHARDS = 20
_MOST_COPIES = 20


def summary_lines(overview: Overview) -> Iterator[str]:
    """Yield the summary of one split."""
    yield f"{overview.title}: {overview.n_asked} clips asked for, {overview.n_ok} ok ({hours(overview.seconds)})"
    yield f"  sha256 {overview.sha256}"
    yield f"  profile {canonical_json(overview.header.profile)}"
    yield f"  made with {', '.join(f'{name} {version}' for name, version in sorted(overview.header.tools.items()))}"
    for status, n in sorted(overview.statuses.items()):
        yield f"  status {status}: {n} ({per_cent(n, overview.n_asked)})"
    yield from _reasons(overview)
    for flag, n in sorted(overview.flags.items()):
        yield f"  flag {flag}: {n} ({per_cent(n, overview.n_ok)})"
    for name, (title, unit) in MEASURED.items():
        if overview.values[name]:
            yield f"  {title} ({unit}): {quartiles(overview.values[name])}"
    yield from _copies(overview.copies)
    yield from _shards(overview)
    yield from _labels(overview)


def between(rows: Sequence[dict[str, Any]] | None, unread: Mapping[str, int] | None = None) -> Iterator[str]:
    """Yield lines about copies between the splits of a folder; ``unread``: clips whose audio was missing."""
    if rows is None:
        return
    n_overlaps = sum("shared_s" in row for row in rows)
    of_these = f", of these {n_overlaps} by sharing seconds of one video" if n_overlaps else ""
    yield f"copies between splits: {len(rows)}{of_these}"
    for split, n in sorted((unread or {}).items()):
        yield f"  {split}: the audio of {n} clips was missing; copies of them that start later were not searched"
    for row in rows[:_MOST_COPIES]:
        shift = f", {row['shift_s']:g} s later" if "shift_s" in row else ""
        yield f"  {row['clips'][1]} is a copy of {row['clips'][0]} ({row['kind']}{shift})"
    if len(rows) > _MOST_COPIES:
        yield f"  ... and {len(rows) - _MOST_COPIES} more in duplicates.jsonl"


def per_cent(n: int, of: int) -> str:
    """Return a share in per cent.

    Example:
        >>> per_cent(1, 3), per_cent(0, 0), per_cent(1, 100000)
        ('33.3 %', '0 %', '0.001 %')
    """
    if not n or not of:
        return "0 %"
    percent = 100.0 * n / of
    return f"{percent:.1f} %" if percent >= 0.1 else f"{percent:.1g} %"


def hours(seconds: float) -> str:
    """Return a length for people.

    Example:
        >>> hours(90.0), hours(7200.0)
        ('90 s', '2.0 h')
    """
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.1f} h"


def quartiles(values: Sequence[float]) -> str:
    """Return the least value, the quartiles and the largest value."""
    low, q1, middle, q3, high = np.quantile(values, [0.0, 0.25, 0.5, 0.75, 1.0])
    return f"{plain(low)} to {plain(high)}, half of them {plain(q1)} to {plain(q3)}, median {plain(middle)}"


def plain(value: float) -> str:
    """Return a number with four digits, without a power of ten at usual sizes.

    Example:
        >>> plain(44100.0), plain(29.97003), plain(0.0)
        ('44,100', '29.97', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def megabytes(n_bytes: float) -> str:
    """Return a number of bytes for people."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.2f} GB"


def _reasons(overview: Overview) -> Iterator[str]:
    groups = sorted(overview.reasons.values(), key=lambda group: (-group.n, group.status, group.words))
    for group in groups[:_MOST_REASONS]:
        ids = ", ".join(group.clip_ids[:_MOST_IDS]) + (" ..." if group.n > _MOST_IDS else "")
        yield f"  {group.n} {group.status}: {group.words} ({ids})"
    if len(groups) > _MOST_REASONS:
        yield f"  ... and {len(groups) - _MOST_REASONS} more reasons in the manifest"


def _copies(copies: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    for clip_id, first, kind in copies[:_MOST_COPIES]:
        yield f"  {clip_id} is a copy of {first} ({kind})"


def _shards(overview: Overview) -> Iterator[str]:
    sizes = overview.shard_bytes()
    there = [n_bytes for n_bytes in sizes.values() if n_bytes is not None]
    yield f"  shards: {len(sizes)}, {megabytes(sum(there))}" + (
        f"; {len(sizes) - len(there)} are not here" if len(there) < len(sizes) else ""
    )
    if len(sizes) <= _MOST_SHARDS:
        for name, n_bytes in sizes.items():
            words = "not here" if n_bytes is None else megabytes(n_bytes)
            yield f"    {name}: {overview.shards[name]} clips, {words}"


def _labels(overview: Overview) -> Iterator[str]:
    named = sorted(label for label in overview.asked if label)
    if not named:
        return
    had = [overview.labels[label] for label in named]
    yield f"  classes: {len(named)}, {min(had)} to {max(had)} usable clips each, median {np.median(had):g}"
    if len(named) > _MOST_LABELS:
        counts = Counter(had).most_common(_MOST_COUNTS)
        told = [f"{n_clips} in {n_classes} {'class' if n_classes == 1 else 'classes'}" for n_clips, n_classes in counts]
        more = ", ..." if len(set(had)) > len(counts) else ""
        yield f"  usable clips a class: {', '.join(told)}{more}"
        return
    for label in named:
        yield f"  label {label}: {overview.labels[label]} of {overview.asked[label]}"
