"""Factories: one function makes all metrics of a family.

What a family's metrics have in common stands here: code, and the ``note`` that ends each of their cards. A metric's own
file names the encoder and says what differs.
"""
