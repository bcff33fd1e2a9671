"""Check the layouts of results, clip tables and ``generation.json``."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

from foleybench.artefacts.draft import STATUS
from foleybench.fields import (
    Check,
    Fault,
    each,
    flag,
    maybe,
    named,
    number,
    one_of,
    record,
    shown,
    text,
    whole,
    words,
)
from foleybench.runtime.precision import PRECISIONS

SCHEMA = 1
STATUSES = ("complete", "partial", "failed", STATUS)
KINDS = ("model", "baseline", "folder", "oracle", "control")
# Names become parts of paths.
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")

_COUNT = whole(low=0, high=10**12)
_VERSION = whole(low=0, high=10**6)
# No quantity in its unit exceeds this, and no computation with a value overflows.
_VALUE = maybe(number(low=-1e100, high=1e100))
_SECONDS = number(low=0, high=1e9)


def safe_name(value: Any) -> Fault | None:
    """Take a name that can be part of a file name."""
    if isinstance(value, str) and _SAFE_NAME.fullmatch(value):
        return None
    advice = "use letters, digits and ._+- (for a system: give another with --name)"
    return Fault("", f"is {shown(value)}, which cannot be part of a file name; {advice}")


_SPEED = record({}, {"seconds_per_clip": maybe(_SECONDS), "real_time_factor": maybe(_SECONDS)})

MODEL = record(
    {"name": safe_name, "kind": one_of(KINDS)},
    {
        "title": text,
        "registry_name": text,
        "licence": maybe(text),
        "description": maybe(text),
        "sees": each(text),
        "parameters": maybe(whole(low=0, high=10**15)),
        "checkpoint_sha256": maybe(text),
    },
)

# A model that is not ours may state any value for `nfe` and the like.
_SAMPLING = {
    "nfe": maybe(whole(low=0, high=10**6)),
    "guidance": maybe(number(low=-1e6, high=1e6)),
    "sampler": maybe(text),
    "level_share": maybe(number(low=0, high=1)),
    "vocoder": maybe(text),
    "seed": maybe(whole()),
    "device": maybe(text),
    "threads": maybe(whole(low=0, high=10**6)),
    "rate_hz": maybe(whole(low=0, high=10**9)),
    "speed": maybe(named(_SPEED)),
}

GENERATION = record({"model": MODEL}, {**_SAMPLING, "seconds": named(_SECONDS), "untimed": each(text)})

_METRIC = record(
    {
        "version": _VERSION,
        "source_sha256": text,
        "value": _VALUE,
        "low": _VALUE,
        "high": _VALUE,
        "level": number(low=0, high=1),
        "corrected": _VALUE,
        "n_used": _COUNT,
        "n_asked": _COUNT,
        "not_applicable": _COUNT,
        "unit": text,
        "better": one_of(("higher", "lower")),
        "reason": maybe(text),
        "per_class": named(record({"value": _VALUE, "n": _COUNT})),
    },
    # Results from before them have neither method nor notes: their intervals and corrected values are of method 1.
    {
        "code_sha256": text,
        "method": _VERSION,
        "notes": each(text),
        "takes": record({"values": each(_VALUE), "sd": _VALUE}),
        "matched": record({"value": _VALUE, "low": _VALUE, "high": _VALUE, "corrected": _VALUE}),
    },
)

_SUBSET = record({"name": text, "sha256": text, "n_ids": _COUNT, "n_here": _COUNT})

_RUN = record(
    {},
    {
        "command": maybe(text),
        "seed": maybe(whole()),
        "resamples": maybe(_COUNT),
        "device": maybe(text),
        # Of the encoders' networks; without it float32.
        "precision": one_of(PRECISIONS),
        "git": maybe(record({"commit": text}, {"dirty": flag})),
        "packages": maybe(named(text)),
        "encoders": maybe(named(record({}, {"version": _VERSION, "weights_sha256": maybe(text)}))),
        "generation": maybe(record({}, {**_SAMPLING, "model": record({})})),
        "takes": _COUNT,
        "leftovers": record({"n": _COUNT, "first": each(text)}),
        # How several channels became one. New results have it only where audio had several; earlier ones always.
        "channels": one_of(("mean", "first")),
        "captions": record({"sha256": text, "n_clips": _COUNT}),
        # What `--match-bandwidth` found: the end of the band of the generated sound; null: it has the real one's.
        "matched_band": record({"hz": maybe(number(low=0, high=1e6)), "n_clips": _COUNT}),
    },
)

RESULT = record(
    {
        "schema": one_of((SCHEMA,)),
        "status": one_of(STATUSES),
        "model": MODEL,
        "dataset": record(
            {"name": safe_name, "split": text, "manifest_sha256": text, "n_clips": _COUNT},
            # `n_listed`: lines of the manifest, usable or not, where these are more.
            {"n_scored": _COUNT, "n_listed": _COUNT, "subset": maybe(_SUBSET)},
        ),
        "protocol": record({"name": text, "version": _VERSION}),
        "metrics": named(_METRIC),
        "problems": each(record({"clip_id": text, "kind": text, "detail": text})),
        "clips": record({"sha256": text}, {"n": _COUNT, "large": record({"sha256": text, "bytes": _COUNT})}),
        "run": _RUN,
    }
)

_SHAPE = whole(low=0, high=2**40)
_REFERENCE = record({"array": text, "start": _SHAPE, "shape": each(_SHAPE)})


def statistic(value: Any) -> Fault | None:
    """Take a statistic of the clip table: finite numbers, alone or in lists that make an array, or a reference."""
    if isinstance(value, dict):
        fault = _REFERENCE(value)
        return fault or (None if value["shape"] else Fault("shape", "is []; one size at least is wanted"))
    level = [value]
    while level and all(isinstance(item, list) for item in level):
        if len({len(item) for item in level}) > 1:
            return Fault("", f"is {shown(value)}; lists of one length are wanted")
        level = list(itertools.chain.from_iterable(level))
    finite = {type(item) for item in level} <= {int, float} and all(map(_is_finite, level))
    return None if finite else Fault("", f"is {shown(value)}; finite numbers are wanted")


def _is_finite(value: float) -> bool:
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**63


ROW: Check = record(
    {"clip_id": words, "source_id": text, "label": text, "stats": named(maybe(named(statistic)))},
    {"duration_s": maybe(_SECONDS), "audio_sha256": text, "matched": named(maybe(named(statistic)))},
)
