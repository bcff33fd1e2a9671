"""People as judges: listening tests and what their votes say."""
