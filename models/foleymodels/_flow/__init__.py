"""Train and sample a flow on mel tokens."""
