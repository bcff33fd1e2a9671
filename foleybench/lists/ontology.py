"""Read AudioSet's classes: ids, names and subclasses."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from foleybench.errors import FoleyError, UnknownNameError, unknown


class Ontology:
    """Class ids with their names and children.

    Attributes:
        names: Id -> name.
        children: Id -> ids directly below; empty when only a table of names was read.
    """

    def __init__(self, names: Mapping[str, str], children: Mapping[str, tuple[str, ...]]) -> None:
        self.names = dict(names)
        self.children = dict(children)

    def name(self, class_id: str) -> str:
        """Return a class's name, or the id itself when it is not known."""
        return self.names.get(class_id, class_id)

    def find(self, wanted: str) -> str:
        """Return the id of a class given by its id or its name, in any case.

        Raises:
            UnknownNameError: There is no such class; the message has the nearest names.
        """
        if wanted in self.names:
            return wanted
        folded = wanted.casefold()
        for class_id, name in self.names.items():
            if name.casefold() == folded:
                return class_id
        raise UnknownNameError(unknown("class", wanted, self.names.values()))

    def below(self, class_id: str) -> set[str]:
        """Return a class and everything below it.

        Raises:
            FoleyError: Only names are known here, no subclasses.
        """
        if not self.children:
            raise FoleyError("subclasses are in AudioSet's ontology.json; name that file with --ontology.")
        found: set[str] = set()
        waiting = [class_id]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.children.get(one, ())
        return found


def read_ontology(path: Path) -> Ontology:
    """Read ``ontology.json``, or ``class_labels_indices.csv`` (names only).

    Raises:
        FoleyError: The file is missing or is neither.
    """
    if not path.is_file():
        raise FoleyError(f"no ontology at {path}. Name AudioSet's ontology.json or class_labels_indices.csv.")
    try:
        text = path.read_text(encoding="utf-8")
        return _from_json(json.loads(text)) if path.suffix == ".json" else _from_table(text.splitlines())
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise FoleyError(
            f"{path} is neither AudioSet's ontology.json nor class_labels_indices.csv: {error}."
        ) from error


def _from_json(classes: Iterable[dict[str, object]]) -> Ontology:
    names, children = {}, {}
    for one in classes:
        names[str(one["id"])] = str(one["name"])
        below = one["child_ids"]
        if not isinstance(below, list):
            raise TypeError("child_ids is not a list")
        children[str(one["id"])] = tuple(map(str, below))
    return Ontology(names, children)


def _from_table(lines: Iterable[str]) -> Ontology:
    return Ontology({row["mid"]: row["display_name"] for row in csv.DictReader(lines)}, {})
