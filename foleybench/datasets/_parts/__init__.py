"""Share code among data sets."""
