"""From audio and video to cached features."""
