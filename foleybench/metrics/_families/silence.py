"""Define the level below which audio counts as silent."""

from __future__ import annotations

# In dB re full scale, of ``envelope``'s levels over 25 ms.
SILENT_DB = -60.0
