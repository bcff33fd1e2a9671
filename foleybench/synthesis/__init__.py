"""Parts that corpora made on the spot are drawn and played with: draws, shapes, noise, modes, a room."""
