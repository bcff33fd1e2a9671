"""Contracts: what plug-ins of every kind declare."""
