"""Score audio under a protocol into a result."""
