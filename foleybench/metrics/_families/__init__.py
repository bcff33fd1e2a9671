"""Make all metrics of a family by one function.

This folder holds what the metrics of a family share: code, and the ``note`` that ends each of their cards. A metric's
own file names the encoder and the differences.
"""
