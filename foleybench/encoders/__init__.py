"""foleybench.encoders."""
