"""Compute the metrics' distances, divergences and matchings, as pure functions."""
