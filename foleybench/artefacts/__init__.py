"""Read and write the files that commands exchange."""
