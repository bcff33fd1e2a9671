"""Data sets: one file each; the contract is ``foleybench.api.dataset``."""

from foleybench.api.dataset import PROFILES, Dataset, Item, Profile, Sample

__all__ = ["PROFILES", "Dataset", "Item", "Profile", "Sample"]
