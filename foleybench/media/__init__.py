"""Decode, encode, resample and measure audio and video."""
