"""Audio and video in files and in memory: decode, encode, resample, measure loudness."""
