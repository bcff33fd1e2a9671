"""Files that one command writes and another reads: results, clip tables, audio folders."""
