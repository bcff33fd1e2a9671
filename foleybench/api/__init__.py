"""Contracts: what a metric, an encoder, a protocol, a data set, a model and a weights file declare."""
