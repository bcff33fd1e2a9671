"""Metrics that differ in one argument, made by one function each."""
