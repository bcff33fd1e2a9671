"""What a metric sees and what it is blind to: the true sound, made worse step by step, scored against itself."""
