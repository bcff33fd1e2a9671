"""foleybench.commands."""
