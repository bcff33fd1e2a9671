"""Control rows: audio of known quality made from the true audio."""
