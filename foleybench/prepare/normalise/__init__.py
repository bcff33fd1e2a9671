"""Turn a media file into a clip's video, audio and facts."""
