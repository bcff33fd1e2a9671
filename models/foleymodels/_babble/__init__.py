"""Mix training clips into one sound for every video."""
