"""From one media file to the video, the audio and the facts of a clip."""
