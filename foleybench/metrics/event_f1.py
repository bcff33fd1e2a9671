"""Event F1: F1 of generated onsets against the clip's exact events.

Onsets and onset events are matched one to one within 50 ms (a pair at exactly 50 ms matches) and counted over all clips
together: F1 = 2 hits / (onsets + events). The statistics hold the counts at 25, 50, 100, 150, 200 and 300 ms.

Events that are audible but off screen or occluded are not scored: an onset there counts neither for nor against. Many
could be guessed from the movement seen before (on SynthFoley 2: ``benchmarks/results/ruler.md``). Silent events are not
expected to sound. Clips without an event that is both visible and audible, and data without
events, do not apply. Silence misses every event: 0. The ground truth scores what the detector can do, a little under 1.

Chance is not 0: on the 1,026 test clips of SynthFoley 2 a click every 50 ms, blind to the video, has .13, and a mixture
of training clips that is as loud as the picture moves, which knows nothing of what moves, has .43 (``foleybench eval
--model metronome``, ``--model motion_babble``).
"""

from __future__ import annotations

from foleybench.metrics._families.events import event_f1

METRIC = event_f1(0.05)
