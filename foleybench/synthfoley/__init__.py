"""foleybench.synthfoley."""
