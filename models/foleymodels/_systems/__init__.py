"""The skeleton of trained systems: parts with stages of their own, in one run folder."""
