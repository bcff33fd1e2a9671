"""From a media file to a clip's video, audio and facts."""
