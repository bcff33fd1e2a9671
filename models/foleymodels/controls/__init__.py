"""Make controls: audio of known quality, from the real audio."""
