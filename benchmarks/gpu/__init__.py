"""Check networks, losses, training and encoders on a GPU; ``benchmarks/gpu_check.py`` runs it."""
