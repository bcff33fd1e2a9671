"""Controls: audio of known quality made from the real audio."""
