"""Checks: each takes what it should, and names field, value and wish of what it should not."""

import dataclasses
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleybench.errors import FoleyError, ResultError
from foleybench.fields import (
    Place,
    anything,
    checked_object,
    each,
    flag,
    mapping,
    maybe,
    named,
    number,
    one_of,
    record,
    sha256,
    shown,
    text,
    whole,
    words,
)
from tests.json_values import JSON

HUGE = 10**400


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (text, ["", "a"], [1, None, ["a"]]),
        (words, ["a"], ["", "  ", 1]),
        (flag, [True, False], [0, 1, "true", None]),
        (whole(), [0, -3, HUGE], [True, 1.0, "1", None]),
        (whole(low=1, high=3), [1, 3], [0, 4, True]),
        (number(), [0, 1.5, -1e308], [True, "1", HUGE, -HUGE, float("nan"), float("inf"), None]),
        (number(low=0, high=1), [0, 1, 0.5], [-0.1, 1.1]),
        (one_of([1, "a"]), [1, "a"], [True, 1.0, "b", [1], {}]),
        (maybe(text), [None, "a"], [1]),
        (each(text), [[], ["a"]], ["a", {"0": "a"}, [1], None]),
        (named(whole()), [{}, {"a": 1}], [[], {"a": "1"}]),
        (mapping, [{}], [[], None]),
        (sha256, ["0" * 64], ["0" * 63, "G" * 64, "0" * 65, 0]),
        (record({"a": text}, {"b": flag}), [{"a": ""}, {"a": "", "c": 1}, {"a": "", "b": True}],
         [{}, {"a": 1}, {"a": "", "b": 1}, []]),
        (record({"a": text}, more=False), [{"a": ""}], [{"a": "", "c": 1}]),
        (anything, [None, [], HUGE], []),
    ],
)  # fmt: skip
def test_what_is_taken_and_what_is_not(check, good, bad):
    assert [check(value) for value in good] == [None] * len(good)
    assert all(check(value) for value in bad)


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (record({"a": named(each(number(low=0)))}), {"a": {"x": [1, -2]}},
         "f.json: a.x.1 is -2; a finite number of at least 0 is wanted. Do it."),
        (record({"a": text, "b": text}), {}, "f.json lacks a, b. Do it."),
        (record({"a": record({"b": text})}), {"a": {}}, "f.json: a lacks b. Do it."),
        (record({"a": text}, more=False), {"a": "", "z": 1}, "f.json has unknown 'z'; known are a. Do it."),
        (maybe(whole(low=1, high=3)), 7, "f.json is 7; a whole number from 1 to 3 is wanted (or null). Do it."),
        (named(text, name=one_of(["x"])), {"y": ""}, "f.json: the name 'y' is 'y'; one of x is wanted. Do it."),
        (text, [0] * 100, f"f.json is {str([0] * 100)[:56]} ...; text is wanted. Do it."),
    ],
)  # fmt: skip
def test_messages_name_file_field_value_and_wish(check, value, message):
    with pytest.raises(ResultError) as raised:
        Place("f.json", ResultError, "Do it.").require(value, check)
    assert str(raised.value) == message


def test_values_are_shown_on_one_line_and_short():
    assert shown("a\nb\u202e") == r"'a\nb\u202e'"
    assert len(shown("x" * 1000)) == 60


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    name: str
    n: int
    level: float | None
    kind: Literal["a", "b"] = "a"
    tags: tuple[str, ...] = ()
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


WHOLE = {"name": "x", "n": 1, "level": 0.5}


def test_a_dataclass_is_made_of_what_fits():
    assert checked_object(Example, WHOLE, Place("f")) == Example(name="x", n=1, level=0.5)
    assert checked_object(Example, {**WHOLE, "level": None, "tags": ["t"], "facts": {"a": [1]}}, Place("f")).facts == {
        "a": [1]
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": "1"}, "n is '1'; a whole number is wanted"),
        ({"n": True}, "n is True; a whole number is wanted"),
        ({"level": "x"}, "level is 'x'; a finite number is wanted \\(or null\\)"),
        ({"kind": "c"}, "kind is 'c'; one of a, b is wanted"),
        ({"tags": "t"}, "tags is 't'; a list is wanted"),
        ({"facts": []}, "facts is \\[\\]; an object is wanted"),
        ({"other": 1}, "has unknown 'other'; known are name, n, level, kind, tags, facts"),
    ],
)
def test_a_dataclass_is_not_made_of_anything_else(change, message):
    with pytest.raises(FoleyError, match=message):
        checked_object(Example, {**WHOLE, **change}, Place("f"))
    with pytest.raises(FoleyError, match="f lacks name, level"):
        checked_object(Example, {"n": 1}, Place("f"))


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(["name", "n", "level", "kind", "tags", "facts", "other"]), JSON) | JSON)
def test_any_value_makes_it_unchanged_or_is_refused(values):
    try:
        made = checked_object(Example, values, Place("f"))
    except FoleyError:
        return
    for name, value in values.items():
        assert getattr(made, name) == value
