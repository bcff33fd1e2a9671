"""What a folder of shards holds: text, page, card."""
