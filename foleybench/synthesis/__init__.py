"""Parts that procedural corpora are rendered from.

Draws, shapes, noise, modes, a room.
"""
