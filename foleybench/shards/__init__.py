"""Shards and manifests: write, index, read, stream, load in batches."""
