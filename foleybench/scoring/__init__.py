"""From audio and protocol to a result."""
