"""foleybench.protocols."""
