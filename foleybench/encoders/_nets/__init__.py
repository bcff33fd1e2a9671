"""The networks of the encoders."""
