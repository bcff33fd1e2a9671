"""Networks, mel tokens, frames, paths, settings, checkpoints."""
