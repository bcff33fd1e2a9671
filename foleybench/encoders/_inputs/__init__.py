"""Prepare encoders' inputs: spectra, batches, frame rates, loaded weights."""
