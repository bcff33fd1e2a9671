"""Vocoders, and the generator of audio from mel tokens."""
