"""Compute pooled values with intervals, paired tests and ranks."""
