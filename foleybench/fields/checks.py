"""Check values from files against layouts.

A check is a function of a value that returns None, or the ``Fault`` that it found. Checks are made from smaller ones,
so the layout of a file is written down as it looks.

Example:
    >>> layout = record({"name": text, "n": whole(low=1)}, {"level": maybe(number(low=0, high=1))})
    >>> layout({"name": "a", "n": 3, "level": None}) is None
    True
    >>> layout({"name": "a", "n": 0})
    Fault(field='n', words='is 0; a whole number of at least 1 is wanted')
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, NoReturn, TypeVar

from foleybench.errors import FoleyError

_T = TypeVar("_T")
_SHOWN = 60
_LARGEST = 1.7e308


@dataclasses.dataclass(frozen=True)
class Place:
    """The place of values, and how a fault among them is reported.

    Attributes:
        where: The file, and the line where it has lines.
        error: Class of the error that is raised.
        advice: What to do about a fault, a sentence, or "".
    """

    where: str
    error: type[FoleyError] = FoleyError
    advice: str = ""

    def line(self, number: int) -> Place:
        """Return the place of a line of the file, counted from 1."""
        return dataclasses.replace(self, where=f"{self.where}, line {number}")

    def fail(self, words: str, cause: Exception | None = None) -> NoReturn:
        """Raise the error, with what is wrong in words without a full stop.

        Raises:
            FoleyError: Always; of the class that the place names.
        """
        raise self.error(f"{self.where}{words}. {self.advice}".rstrip()) from cause

    def require(self, value: Any, check: Check) -> None:
        """Compare a value with a check.

        Raises:
            FoleyError: Value and check do not agree; field, value and the expected layout are named.
        """
        fault = check(value)
        if fault:
            self.fail(f": {fault.field} {fault.words}" if fault.field else f" {fault.words}")


class Fault(NamedTuple):
    """A fault that a check found.

    Attributes:
        field: The field, as ``metrics.fad.value``; "" for the whole.
        words: The fault: the value and what was expected.
    """

    field: str
    words: str

    def inside(self, name: object) -> Fault:
        """Return the fault as seen from the object that holds the field."""
        return self._replace(field=f"{name}.{self.field}" if self.field else str(name))


Check = Callable[[Any], Fault | None]


def shown(value: object) -> str:
    """Return a value as it is shown in a message: on one line, and short."""
    words = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return words if len(words) <= _SHOWN else f"{words[: _SHOWN - 4]} ..."


def _not(value: object, expected: str) -> Fault:
    return Fault("", f"is {shown(value)}; {expected} is wanted")


def anything(value: Any) -> Fault | None:
    """Take any value."""
    return None


def text(value: Any) -> Fault | None:
    """Take text."""
    return None if isinstance(value, str) else _not(value, "text")


def words(value: Any) -> Fault | None:
    """Take text that is not empty."""
    return None if isinstance(value, str) and value.strip() else _not(value, "text that is not empty")


def flag(value: Any) -> Fault | None:
    """Take true or false."""
    return None if isinstance(value, bool) else _not(value, "true or false")


def sha256(value: Any) -> Fault | None:
    """Take a SHA-256 in hexadecimal digits."""
    fits = isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value)
    return None if fits else _not(value, "a SHA-256 of 64 hexadecimal digits")


def mapping(value: Any) -> Fault | None:
    """Take an object with any fields."""
    return None if isinstance(value, dict) else _not(value, "an object")


def whole(*, low: int | None = None, high: int | None = None) -> Check:
    """Take a whole number of a range, both ends included."""
    expected = f"a whole number{_range_words(low, high)}"

    def check(value: Any) -> Fault | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and _within(value, low, high)
        return None if fits else _not(value, expected)

    return check


def number(*, low: float | None = None, high: float | None = None) -> Check:
    """Take a finite number of a range, both ends included; whole ones too."""
    expected = f"a finite number{_range_words(low, high)}"

    def check(value: Any) -> Fault | None:
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        # Not `isfinite`, which cannot take a whole number of 400 digits.
        fits = plain and value == value and -_LARGEST <= value <= _LARGEST and _within(value, low, high)
        return None if fits else _not(value, expected)

    return check


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range_words(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    return f" of at least {low:g}" if low is not None else f" of at most {high:g}" if high is not None else ""


def one_of(choices: Collection[Any]) -> Check:
    """Take one of some values."""
    expected = f"one of {', '.join(map(str, choices))}"

    def check(value: Any) -> Fault | None:
        # Not `in` alone: it takes true for 1, and a list cannot be searched in a set.
        fits = any(type(value) is type(choice) and value == choice for choice in choices)
        return None if fits else _not(value, expected)

    return check


def maybe(check: Check) -> Check:
    """Take null, or any value that a check takes."""

    def checked(value: Any) -> Fault | None:
        fault = None if value is None else check(value)
        return fault._replace(words=f"{fault.words} (or null)") if fault else None

    return checked


def each(check: Check) -> Check:
    """Take a list of values that a check takes."""

    def checked(value: Any) -> Fault | None:
        if not isinstance(value, list):
            return _not(value, "a list")
        return next((fault.inside(index) for index, item in enumerate(value) if (fault := check(item))), None)

    return checked


def named(check: Check, name: Check = anything) -> Check:
    """Take an object with fields of any names, whose values a check takes."""

    def checked(value: Any) -> Fault | None:
        if not isinstance(value, dict):
            return _not(value, "an object")
        for key, item in value.items():
            if fault := name(key):
                return fault._replace(field=f"the name {shown(key)}")
            if fault := check(item):
                return fault.inside(key)
        return None

    return checked


def record(fields: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *, more: bool = True) -> Check:
    """Take an object.

    Args:
        fields: A check for every field that it must have.
        optional: A check for every field that it may have.
        more: Whether other fields are allowed.
    """
    known = {**fields, **(optional or {})}

    def checked(value: Any) -> Fault | None:
        if not isinstance(value, dict):
            return _not(value, "an object")
        missing = [name for name in fields if name not in value]
        if missing:
            return Fault("", f"lacks {', '.join(missing)}")
        unknown = [] if more else [name for name in value if name not in known]
        if unknown:
            return Fault("", f"has unknown {', '.join(map(shown, unknown))}; known are {', '.join(known)}")
        for name, check in known.items():
            if name in value and (fault := check(value[name])):
                return fault.inside(name)
        return None

    return checked


def checked_object(kind: type[_T], values: Any, place: Place) -> _T:
    """Make a dataclass from an object whose fields have its names and types.

    Types of fields are text, numbers, true or false, lists, objects, and any of them or null; numbers are finite.

    Raises:
        FoleyError: A field is missing, unknown, or of another type.
    """
    place.require(values, _layout(kind))  # type: ignore[arg-type]
    return kind(**values)


@functools.cache
def _layout(kind: type[Any]) -> Check:
    hints = typing.get_type_hints(kind)
    required: dict[str, Check] = {}
    optional: dict[str, Check] = {}
    for field in dataclasses.fields(kind):
        has_default = (field.default, field.default_factory) != (dataclasses.MISSING, dataclasses.MISSING)
        (optional if has_default else required)[field.name] = _of_type(hints[field.name])
    return record(required, optional, more=False)


_PLAIN: dict[Any, Check] = {Any: anything, str: text, bool: flag, int: whole(), float: number()}


def _of_type(hint: Any) -> Check:
    """Return the check that fits a type."""
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin in (typing.Union, types.UnionType) and len(inner) == 2 and type(None) in inner:
        return maybe(_of_type(next(kind for kind in inner if kind is not type(None))))
    if origin is typing.Literal:
        return one_of(inner)
    if origin is dict:
        return named(_of_type(inner[1])) if inner else mapping
    if origin in (list, tuple):
        return each(_of_type(inner[0]) if inner else anything)
    raise TypeError(f"no check for fields of type {hint}")
