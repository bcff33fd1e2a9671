"""foleybench.prepare."""
