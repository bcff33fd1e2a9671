"""Compose a system's settings of small dataclasses by subject.

A system composes the subjects it has (``signal``, ``alignment``, ``flow``, ``loop``, and its own). Field names are
unique over the subjects, so ``--set name=value`` needs no subject; sizes and choices stand where the fields are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from foleybench.errors import FoleyError, UnknownNameError, unknown

# tiny: minutes on a CPU. base: under an hour on one GPU. std16k: the whole of VGGSound with the audio of the field
# (16 kHz, 1024 / 256, 80 bands, 8 s). paper: the literal profile of the paper's section 4.1, with its optimiser.
SIZES = ("tiny", "base", "std16k", "paper")
Composed = TypeVar("Composed")


class Subject:
    """Settings of one subject: a frozen dataclass with defaults."""

    @classmethod
    def sizes(cls) -> dict[str, Any]:
        """Return the settings of every size."""
        raise NotImplementedError

    def check(self) -> None:
        """Refuse values that do not go together.

        Raises:
            UnknownNameError: Some values do not go together.
        """


def choice(*names: str, earlier: str | None = None) -> Any:
    """Return a field that holds one of some names, the first by default.

    Args:
        names: The choices.
        earlier: Value that describes versions without the setting.
    """
    return dataclasses.field(default=names[0], metadata={"choices": names, "earlier": earlier})


def amount(default: int) -> Any:
    """Return a field that holds an amount of training, which ``--steps`` scales."""
    return dataclasses.field(default=default, metadata={"scales": True})


def of_size(kind: type[Composed], size: str) -> Composed:
    """Return composed settings as they are at a size.

    Raises:
        UnknownNameError: There is no such size.
    """
    if size not in SIZES:
        raise UnknownNameError(unknown("size", size, SIZES))
    return kind(**{name: subject.sizes()[size] for name, subject in _subjects(kind).items()})


def flat(settings: Any) -> dict[str, Any]:
    """Return the values of composed settings by field name, without their subjects."""
    return {name: value for values in dataclasses.asdict(settings).values() for name, value in values.items()}


def field_names(kind: type) -> dict[str, str]:
    """Return the subject of every field name of composed settings.

    Raises:
        TypeError: Two subjects have a field of one name.
    """
    owners: dict[str, str] = {}
    for subject, part in _subjects(kind).items():
        for field in _fields(part):
            if field.name in owners:
                raise TypeError(f"{kind.__name__} has {field.name!r} in {owners[field.name]!r} and in {subject!r}.")
            owners[field.name] = subject
    return owners


def replaced(settings: Composed, **values: Any) -> Composed:
    """Return composed settings with other values for some field names."""
    owners = field_names(type(settings))
    changed = {
        subject: dataclasses.replace(
            getattr(settings, subject), **{name: value for name, value in values.items() if owners[name] == subject}
        )
        for subject in sorted({owners[name] for name in values})
    }
    return dataclasses.replace(settings, **changed)  # type: ignore[type-var]


def scaled(settings: Composed, share: float) -> Composed:
    """Return composed settings with every amount of training times a share, at least 1."""
    values = flat(settings)
    scaling = [
        field.name
        for part in _subjects(type(settings)).values()
        for field in _fields(part)
        if field.metadata.get("scales")
    ]
    return replaced(settings, **{name: max(1, round(values[name] * share)) for name in scaling})


def parsed(owner: type, name: str, text: str, known: Iterable[str] = ()) -> Any:
    """Return the value that a text gives to a field.

    Args:
        owner: The dataclass of the field.
        name: Name of the field.
        text: From the command line.
        known: Names for the message about an unknown field; by default the fields of the owner.

    Raises:
        UnknownNameError: No such field, no such choice, or a text of another type.
    """
    fields = {field.name: field for field in dataclasses.fields(owner)}
    if name not in fields:
        raise UnknownNameError(unknown("setting", name, known or fields))
    choices = fields[name].metadata.get("choices")
    if choices and text not in choices:
        raise UnknownNameError(unknown(name, text, choices))
    kind = get_type_hints(owner)[name]
    try:
        return kind(text)
    except ValueError as error:
        raise UnknownNameError(f"{name}={text!r} is not a {kind.__name__}.") from error


def read_settings(kind: type[Composed], record: dict[str, Any], folder: Path, *, beside: bool = False) -> Composed:
    """Return the settings that a checkpoint was written with.

    Args:
        kind: Composed settings.
        record: From its config, values by subject and name; or by name alone, as earlier versions wrote them.
        folder: Folder of the checkpoint, for messages.
        beside: Whether the record may hold settings of other subjects, too.

    Raises:
        FoleyError: The names are not those of this version; the differences are named.
    """
    by_subject, others = (record, set()) if _has_subjects(record) else _assigned(kind, record)
    subjects = _subjects(kind)
    strange = set() if beside else others | (by_subject.keys() - subjects.keys())
    parts = {}
    for subject, part in subjects.items():
        values = by_subject.get(subject, {})
        differing = {field.name for field in _fields(part)}.symmetric_difference(values)
        strange |= differing
        parts[subject] = None if differing else part(**values)
    if strange:
        raise FoleyError(
            f"the checkpoint in {folder} was written by another version: settings {', '.join(sorted(strange))} "
            "do not agree. Train it again."
        )
    return kind(**parts)


def _subjects(kind: type) -> dict[str, type[Subject]]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in _fields(kind)}


def _fields(kind: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


def _has_subjects(record: dict[str, Any]) -> bool:
    return bool(record) and all(isinstance(values, dict) for values in record.values())


def _assigned(kind: type, record: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """Read the layout of earlier versions: values by name alone, without those that were no settings yet.

    Returns:
        The values by subject, and the names that belong to none.
    """
    owners = field_names(kind)
    found: dict[str, dict[str, Any]] = {}
    for subject, part in _subjects(kind).items():
        found[subject] = {f.name: f.metadata["earlier"] for f in _fields(part) if f.metadata.get("earlier")}
        found[subject] |= {name: value for name, value in record.items() if owners.get(name) == subject}
    return found, record.keys() - owners.keys()
