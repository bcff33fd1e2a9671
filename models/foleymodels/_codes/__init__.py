"""Predict masked codes: masks, networks, decoding; what masked systems share."""
