"""A flow on mel tokens: network, training, generation."""
