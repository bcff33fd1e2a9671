"""Protocol ``synth``: what runs offline on SynthFoley."""

from __future__ import annotations

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="Synth",
    version=2,
    description=(
        "For SynthFoley: when things sound, whether every source is heard, whether harder hits are louder and the "
        "pitch is right, all against its exact events; meaning and realism by small evaluators trained on its train "
        "split and shipped with the package; speed. No download. Its mini figures compare with no published ones."
    ),
    metrics=(
        *("event_f1_25ms", "event_f1", "event_offset", "source_recall", "strength_correlation", "pitch_error"),
        *(
            "class_accuracy",
            "class_f1",
            "material_accuracy",
            "material_auc",
            "kld_mini",
            "fad_mini",
            "align_acc_mini",
        ),
        *("seconds_per_clip", "real_time_factor"),
    ),
    dataset="synthfoley",
    headline={
        "timing": "event_f1_25ms",
        "semantics": "class_f1",
        "quality": "fad_mini",
        "speed": "real_time_factor",
    },
)
