"""Turn results into leaderboard tables and one page.

``load`` reads results, ``significance`` tells systems apart, ``board`` puts both into tables of cells, ``tables``,
``plots`` and ``page`` write them, ``build`` compares written files with those that the results give. Same inputs, same
bytes: no clock, no machine name, everything sorted.
"""
