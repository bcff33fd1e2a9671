"""The training loop, its data, and what stages share."""
