"""One module a verb of the command line. Heavy imports stay inside ``run``, so that ``--help`` is quick."""
