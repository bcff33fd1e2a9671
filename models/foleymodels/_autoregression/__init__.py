"""Write codes one after the other: what autoregressive systems share."""
