"""From mel spectrograms to audio."""
