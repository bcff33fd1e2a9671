"""Train the alignment stage: network, objectives, conditions, probes."""
