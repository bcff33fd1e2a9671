"""Event F1 at 25 ms: ``event_f1`` at half its tolerance.

The strictest tolerance that the onset detector itself keeps: at 25 ms the true sound still stands above .9 on
SynthFoley 2, and sounds pasted at detected movements lie far below it, which 50 ms does not show.

Trivial sounds score, too: the click every 50 ms of the control ``metronome``, which sees no video, has .13 on the 1,026
test clips of SynthFoley 2, as many as at 50 ms, and the baseline ``motion_babble``, as loud as the picture moves, .31.
"""

from __future__ import annotations

from foleybench.metrics._families.events import event_f1

METRIC = event_f1(0.025)
