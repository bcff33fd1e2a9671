"""Run commands: locks, threads, processes, clusters, provenance."""
