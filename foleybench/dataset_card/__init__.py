"""What a folder of shards holds, for people: text, a page with pictures, a data set card."""
