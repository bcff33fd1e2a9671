"""Mark the rows of drafts (``eval --precision bf16``).

A draft has a name of its own, so that it never takes the place of the row it is a draft of; its title and its status
say what it is in every table; it is never ranked, and never compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATUS = "draft"
SUFFIX = "+draft"
WHY = "draft: its encoders ran in bfloat16; run eval again without --precision"


def as_draft(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result's ``model`` section with name and title of a draft.

    Example:
        >>> as_draft({"name": "mine", "kind": "model"})
        {'name': 'mine+draft', 'kind': 'model', 'title': 'draft (bf16): mine'}
    """
    name = str(model["name"])
    return {**model, "name": f"{name}{SUFFIX}", "title": f"draft (bf16): {model.get('title') or name}"}


def is_draft(result: Mapping[str, Any]) -> bool:
    """Return whether a result is a draft."""
    return bool(result["status"] == STATUS)
