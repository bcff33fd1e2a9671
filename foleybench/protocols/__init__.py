"""Protocols: one file each; the contract is ``foleybench.api.protocol``."""

from foleybench.api.protocol import Protocol

__all__ = ["Protocol"]
