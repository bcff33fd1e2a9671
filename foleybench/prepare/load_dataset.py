"""Load a data set by name or from a file."""

from __future__ import annotations

from foleybench import registry
from foleybench.api.dataset import Dataset


def load_dataset(name: str) -> Dataset:
    """Load a data set by its name, or from ``path/to/file.py:NAME``."""
    dataset: Dataset = registry.load("datasets", name)
    return dataset
