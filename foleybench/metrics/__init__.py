"""foleybench.metrics."""
