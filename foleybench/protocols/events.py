"""Protocol ``events``: exact events alone, no evaluator."""

from __future__ import annotations

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="Exact events",
    version=1,
    description=(
        "For SynthFoley 2: what its exact event list says, with no trained evaluator in between. When things sound, "
        "whether every source is heard, whether harder hits are louder, whether the pitch is right. Speed beside it."
    ),
    metrics=(
        *("event_f1_25ms", "event_f1", "event_offset", "source_recall", "strength_correlation", "pitch_error"),
        *("seconds_per_clip", "real_time_factor"),
    ),
    dataset="synthfoley",
    headline={"timing": "event_f1_25ms", "semantics": "pitch_error", "speed": "real_time_factor"},
)
