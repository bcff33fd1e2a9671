"""Encoders: one file each; the contract is ``foleybench.api.encoder``."""

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Modality, Signal, one_by_one

__all__ = ["ANY", "Encode", "Encoder", "Features", "Modality", "Signal", "one_by_one"]
