"""What people say of systems, as one checked JSON file.

``leaderboards/people/<dataset>.<id8>.json``; ``id8`` is the start of the hash of its content, as of a result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.artefacts.listening import DATASET
from foleybench.artefacts.result import content_id
from foleybench.errors import ResultError
from foleybench.fields import (
    Check,
    Fault,
    Place,
    each,
    mapping,
    maybe,
    named,
    number,
    one_of,
    read_json,
    record,
    text,
    whole,
    words,
)
from foleybench.files import write_atomically

KIND = "people"
SCHEMA = 1
_ADVICE = "Run `foleybench votes` again."
_COUNT = whole(low=0, high=10**9)
_SHARE = maybe(number(low=0, high=1))
_P = maybe(number(low=0, high=1))


def _interval_of(value: Check) -> Check:
    fields = record({"value": value, "low": maybe(value), "high": maybe(value)})

    def check(found: Any) -> Fault | None:
        if fault := fields(found):
            return fault
        ends = found["low"], found["high"]
        if None in ends:
            return None if ends == (None, None) else Fault("", "has one end of an interval; both or neither are wanted")
        if found["value"] is None or not ends[0] <= found["value"] <= ends[1]:
            return Fault("", f"has the value {found['value']} outside its interval {list(ends)}")
        return None

    return check


_LOG_ODDS = number(low=-1e3, high=1e3)
_RATE = _interval_of(_SHARE)
_CORRELATION = _interval_of(maybe(number(low=-1, high=1)))
PEOPLE: Check = record(
    {
        "kind": one_of((KIND,)),
        "schema": one_of((SCHEMA,)),
        "question": text,
        "dataset": maybe(DATASET),
        "n": record({"raters": _COUNT, "clips": _COUNT, "videos": _COUNT, "votes": _COUNT, "ties": _COUNT}),
        "screening": record(
            {
                "rule": text,
                "excluded": each(record({"rater": words, "right": _COUNT, "checks": _COUNT, "votes": _COUNT})),
            }
        ),
        "raters": record({"same": _SHARE, "alpha": maybe(number(low=-1e3, high=1)), "n_units": _COUNT}),
        "left": _RATE,
        "systems": named(record({"preferred": _RATE, "score": _interval_of(_LOG_ODDS), "n_votes": _COUNT})),
        "pairs": each(
            record(
                {
                    "first": words,
                    "second": words,
                    "n": _COUNT,
                    "ties": _COUNT,
                    "rate": _RATE,
                    "difference": _LOG_ODDS,
                    "p_value": _P,
                    "p_holm": _P,
                }
            )
        ),
        "metrics": each(
            record(
                {
                    "metric": words,
                    "version": whole(low=0),
                    "protocol": words,
                    "subset": text,
                    "better": one_of(("higher", "lower")),
                    "n_systems": _COUNT,
                    "spearman": _CORRELATION,
                    "kendall": maybe(number(low=-1, high=1)),
                    "reason": text,
                    "agrees": _RATE,
                    "n_votes": _COUNT,
                }
            )
        ),
        "run": mapping,
    }
)


def check_people(found: Mapping[str, Any], place: Place) -> None:
    """Check a file of what people say against its layout.

    Raises:
        ResultError: Names the place that is wrong.
    """
    place.require(found, PEOPLE)
    for pair in found["pairs"]:
        for name in (pair["first"], pair["second"]):
            if name not in found["systems"]:
                place.fail(f": a pair names {name!r}, which is none of the systems")


def write_people(folder: Path, found: Mapping[str, Any]) -> Path:
    """Write what people say; an earlier file about the same question and clips gives way to it.

    Raises:
        ResultError: It does not follow the layout.
        FoleyError: It cannot be written.
    """
    check_people(found, Place("what people say", ResultError))
    path = folder / f"{(found['dataset'] or {'name': 'ratings'})['name']}.{content_id(found)}.json"
    text_ = json.dumps(found, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    write_atomically(path, (text_ + "\n").encode())
    for other, content in people_files(folder):
        if other != path and _about(content) == _about(found):
            other.unlink()
    return path


def read_people(path: Path) -> dict[str, Any]:
    """Read and check one file.

    Raises:
        ResultError: It does not follow the layout, or was edited since it was written.
    """
    place = Place(str(path), ResultError, _ADVICE)
    found: dict[str, Any] = read_json(path, PEOPLE, place)
    check_people(found, place)
    if not path.name.endswith(f".{content_id(found)}.json"):
        place.fail(f" was edited after it was written: its content hashes to {content_id(found)}")
    return found


def people_files(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Return the files of a folder that say what people think, sorted by name; other files are left alone.

    Raises:
        ResultError: One of them is broken or edited.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        content = read_json(path, mapping, Place(str(path), ResultError, _ADVICE))
        if content.get("kind") == KIND:
            found.append((path, read_people(path)))
    return found


def people_of(folder: Path, dataset: Sequence[str]) -> list[dict[str, Any]]:
    """Return what people say of a test set.

    Args:
        folder: Where the files lie; it need not be there.
        dataset: Name, split and manifest hash.

    Raises:
        ResultError: A file is broken or edited.
    """
    return [found for _, found in people_files(folder) if _test_set(found) == tuple(dataset)]


def _test_set(found: Mapping[str, Any]) -> tuple[str, ...]:
    dataset = found["dataset"] or {}
    return tuple(str(dataset.get(name, "")) for name in ("name", "split", "manifest_sha256"))


def _about(found: Mapping[str, Any]) -> tuple[str, ...]:
    return (*_test_set(found), str(found["question"]))
