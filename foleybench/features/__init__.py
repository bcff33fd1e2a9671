"""From audio and video to cached features: what is done once per clip and encoder."""
