"""Parts of models: blocks, paths, samplers, mel, frame maps."""
