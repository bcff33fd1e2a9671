"""The leaderboard: results in, tables and one page out.

``load`` reads results, ``significance`` tells systems apart, ``board`` puts both into tables of cells, ``tables``,
``plots`` and ``page`` write them, ``build`` compares what is written with what would be. Same inputs, same bytes: no
clock, no machine name, everything sorted.
"""
