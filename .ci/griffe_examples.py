"""Section "Example:" of our docstrings, shown as code by mkdocstrings.

Griffe knows "Examples:" and takes the singular for a box of prose, in which ``>>>`` is a quotation.
"""

from typing import Any

import griffe


class Examples(griffe.Extension):
    """Renames the section before the docstring is parsed."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rename it in an object's docstring."""
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
