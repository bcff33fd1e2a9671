"""How encoders are fed: spectra, batches, frame rates, loading of weights."""
