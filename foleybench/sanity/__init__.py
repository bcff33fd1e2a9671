"""Measure what metrics notice: score audio made worse in steps."""
