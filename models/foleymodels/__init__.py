"""The models: shared parts in private modules, one file or folder per model, controls among them."""
