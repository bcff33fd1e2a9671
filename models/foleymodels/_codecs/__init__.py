"""Turn mel tokens into codes and back: quantisers and their training."""
