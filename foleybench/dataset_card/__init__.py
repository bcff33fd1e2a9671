"""Describe a folder of shards: text, page, card."""
