"""Generate codes: masked decoding, and what systems of codes share."""
