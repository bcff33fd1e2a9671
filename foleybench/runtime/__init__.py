"""How a command runs: locks, threads, processes, clusters, provenance."""
