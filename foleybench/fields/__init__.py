"""Read values from files, and check them.

Every file (result, manifest, config, list, cache) is read by one of the readers here (``read_json``, ``read_rows``,
...) and compared with a check, which is the layout of the file written down.

Example:
    >>> parse_json(b'{"name": "a", "n": 0}', record({"name": text, "n": whole(low=1)}), Place("a.json"))
    Traceback (most recent call last):
    foleybench.errors.FoleyError: a.json: n is 0; a whole number of at least 1 is wanted.
"""

from foleybench.fields.checks import (
    Check,
    Fault,
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
from foleybench.fields.readers import (
    as_text,
    gunzip,
    parse_json,
    read_arrays,
    read_bytes,
    read_json,
    read_rows,
    read_text,
)

__all__ = [
    "Check",
    "Fault",
    "Place",
    "anything",
    "as_text",
    "checked_object",
    "each",
    "flag",
    "gunzip",
    "mapping",
    "maybe",
    "named",
    "number",
    "one_of",
    "parse_json",
    "read_arrays",
    "read_bytes",
    "read_json",
    "read_rows",
    "read_text",
    "record",
    "sha256",
    "shown",
    "text",
    "whole",
    "words",
]
