"""Strategies of Hypothesis for what may stand in a file: JSON values, and changes of a good one."""

import copy

from hypothesis import strategies as st

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | NUMBERS | st.text(max_size=8)
JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
# What a field is mistaken for most often, and what breaks arithmetic, paths and text.
STRANGE = JSON | st.sampled_from(
    [
        *(None, True, "", " ", "1", "nan", "../x", "a/b", "a\0b", "\u202e", "x" * 300, [], {}, [[]], {"a": None}),
        *(0, -1, 1, 2**31, 2**63, 10**30, 10**400, 0.5, -0.0, 1e300, -1e300, 1e-320),
    ]
)


def places(value, found=()):
    """Return the path to every value inside a JSON value, its own included."""
    paths = [found]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        paths += places(item, (*found, key))
    return paths


@st.composite
def changed(draw, value, skip=()):
    """Draw a copy of a JSON value with one thing changed: another value, a field less, a field more.

    Args:
        draw: Hypothesis'.
        value: The good one.
        skip: Paths that stay.
    """
    path = draw(st.sampled_from([p for p in places(value) if p and p not in skip]))
    result = copy.deepcopy(value)
    holder = result
    for key in path[:-1]:
        holder = holder[key]
    how = draw(st.sampled_from(["value", "value", "value", "less", "more"]))
    if how == "value":
        holder[path[-1]] = draw(STRANGE)
    elif how == "less":
        del holder[path[-1]]
    elif isinstance(holder, dict):
        holder[draw(st.text(min_size=1, max_size=8))] = draw(STRANGE)
    else:
        holder.append(draw(STRANGE))
    return result
