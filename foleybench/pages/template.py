"""Fill a page template; the result is one self-contained file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources

import jinja2
import numpy as np
from markupsafe import Markup


def asset(package: str, name: str) -> str:
    """Return the text of a file of a package's folder ``assets``."""
    return (resources.files(package) / "assets" / name).read_text(encoding="utf-8")


def fill(package: str, template: str, **values: object) -> str:
    """Fill a template of a package's assets; what is not ``Markup`` is escaped, unknown names are errors."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = breakable
    return environment.from_string(asset(package, template)).render(**values)


def breakable(text: str) -> Markup:
    """Return text whose words may be broken after ``_``, ``-`` and ``.``, and nowhere else.

    Example:
        >>> breakable("foleyflow_static")
        Markup('foleyflow_<wbr>static')
    """
    return Markup("").join(
        part + Markup("<wbr>") if part in ("_", "-", ".") else part  # a part that is no mark is escaped by join
        for part in re.split(r"(?<=\w)([_.-])(?=\w)", text)
    )


def trusted(package: str, *names: str) -> Markup:
    """Return assets of ours, one after the other, to be put into a page as they are."""
    return Markup("".join(asset(package, name) for name in names))  # noqa: S704 - a file of this package, not input


def choose_clips(clip_ids: Sequence[str], n_clips: int, seed: int) -> list[str]:
    """Return clips drawn by seed, never by hand; the order of ``clip_ids`` does not matter."""
    ordered = sorted(clip_ids)
    order = np.random.default_rng(seed).permutation(len(ordered))
    return [ordered[int(i)] for i in order[:n_clips]]
