"""Read published lists of clips, row by row.

A list is never trusted: a row that cannot be used is named with its line and the reason, and the rest goes on.
"""

from foleybench.lists.read import BadRow, ListRow, key_of, read_list

__all__ = ["BadRow", "ListRow", "key_of", "read_list"]
