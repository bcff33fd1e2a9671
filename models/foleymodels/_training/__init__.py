"""Train networks: the loop, its data, and parts that stages share."""
