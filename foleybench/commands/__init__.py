"""Run the command line's verbs, one module each."""
