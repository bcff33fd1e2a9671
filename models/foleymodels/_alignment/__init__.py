"""The alignment stage: network, objectives, training, conditions, probes."""
