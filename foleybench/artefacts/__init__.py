"""Files that one command writes and another reads."""
