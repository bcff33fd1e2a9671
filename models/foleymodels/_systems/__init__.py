"""The skeleton of systems: parts trained in one run folder."""
