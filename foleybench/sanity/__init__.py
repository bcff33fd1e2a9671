"""What a metric sees: the true audio made worse, scored."""
