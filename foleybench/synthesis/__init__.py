"""Render parts of procedural corpora.

The parts are draws, shapes, noise, modes and a room.
"""
