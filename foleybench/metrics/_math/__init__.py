"""Pure functions behind the metrics: distances, divergences, matching."""
