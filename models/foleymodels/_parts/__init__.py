"""Share parts of systems: networks, mel tokens, paths, settings, checkpoints."""
