"""Event F1 at 25 ms: ``event_f1`` at half its tolerance.

The strictest tolerance that the onset detector itself keeps: at 25 ms the true sound still stands above .9 on
SynthFoley 2, and sounds pasted at detected movements lie far below it, which 50 ms does not show.

Chance is not 0: on the 1,026 test clips of SynthFoley 2 a click every 50 ms, blind to the video, has .13, and a mixture
of training clips that is as loud as the picture moves, which knows nothing of what moves, has .31 (``foleybench eval
--model metronome``, ``--model motion_babble``).
"""

from __future__ import annotations

from foleybench.metrics._families.events import event_f1

METRIC = event_f1(0.025)
