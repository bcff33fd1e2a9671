"""Run a model on a data set or on one video."""
