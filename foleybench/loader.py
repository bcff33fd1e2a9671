"""Where ``ClipLoader`` was."""

raise ImportError("foleybench.loader moved: write `from foleybench import ClipLoader`.")
