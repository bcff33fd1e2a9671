"""Reproduce the paper's tables, measured beside reported."""
