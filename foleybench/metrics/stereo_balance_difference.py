"""Stereo balance difference: of the power on the right and left.

Balance is the power of right less left as a share of both, over the whole clip: -1 all left, 1 all right; a side that
is 3 dB louder gives a third. Exchanged channels are noticed only where one is louder; ``stereo_movement`` follows them
in time.
"""

from __future__ import annotations

from foleybench.metrics._families.stereo import balance, stereo_metric

METRIC = stereo_metric(balance, title="Stereo balance difference", worst=2.0)
