"""Import the package transformers when an encoder needs it."""

from __future__ import annotations

from types import ModuleType

from foleybench.errors import FoleyError


def transformers_for(what: str) -> ModuleType:
    """Return the package.

    Args:
        what: What needs transformers, in words, for the message.

    Raises:
        FoleyError: transformers is not installed.
    """
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise FoleyError(f"{what} needs transformers and timm: `pip install 'foleybench[encoders]'`.") from error
    return transformers
