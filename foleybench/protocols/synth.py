"""Protocol ``synth``: what runs offline on SynthFoley."""

from __future__ import annotations

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="Synth",
    version=1,
    description=(
        "For SynthFoley: timing against the exact events, meaning and realism by small evaluators trained on its train "
        "split and shipped with the package, speed. No download. Its mini figures compare with no published ones."
    ),
    metrics=(
        *("event_f1", "event_offset", "class_accuracy", "kld_mini", "fad_mini", "align_acc_mini"),
        *("seconds_per_clip", "real_time_factor"),
    ),
    dataset="synthfoley",
    headline={
        "timing": "event_f1",
        "semantics": "class_accuracy",
        "quality": "fad_mini",
        "speed": "real_time_factor",
    },
)
