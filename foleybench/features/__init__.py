"""Turn audio and video into cached features."""
