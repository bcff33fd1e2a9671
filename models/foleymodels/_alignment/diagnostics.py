"""Measure how much the alignment stage uses the video.

A small ratio of masked audio can be rebuilt from its neighbours alone, so Eq. 4's loss by itself proves nothing. The
measure is the increase of the loss with the video of another clip, or with the right video at the wrong time.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foleybench.files import write_atomically
from foleymodels._alignment.objective import Draw, Objective
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import step_generator

SHIFTS_FRAMES = (-12, -6, -3, -1, 0, 1, 3, 6, 12)
_N_CLIPS = 64
_BATCH = 16


@torch.inference_mode()
def video_usage(objective: Objective, data: TrainingData, seed: int, *, part: str = "loss") -> dict[str, Any]:
    """Measure the use of the video on held-out clips, in the objective's own loss.

    Args:
        objective: The trained objective.
        data: Validation clips.
        seed: Decides masks and windows.
        part: Name of the loss to report.

    Returns:
        ``loss_true``, ``loss_shuffled`` (the video of another clip), ``usage_gap`` (their difference), and
        ``shift_curve``: the loss by shift of the video in seconds.
    """
    n = min(_N_CLIPS, len(data))
    indices = torch.arange(n)
    other = (indices + max(1, n // 2)) % n
    curve = {
        f"{shift / data.settings.grid_hz:+.2f}": _loss(objective, data, indices, indices, seed, part, shift)
        for shift in SHIFTS_FRAMES
    }
    loss_true, loss_shuffled = curve["+0.00"], _loss(objective, data, indices, other, seed, part)
    return {
        "n_clips": n,
        "loss_true": loss_true,
        "loss_shuffled": loss_shuffled,
        "usage_gap": round(loss_shuffled - loss_true, 6),
        "shift_curve": curve,
    }


def _loss(
    objective: Objective,
    data: TrainingData,
    audio_of: torch.Tensor,
    video_of: torch.Tensor,
    seed: int,
    part: str,
    shift: int = 0,
) -> float:
    total = 0.0
    for start in range(0, len(audio_of), _BATCH):
        chosen = audio_of[start : start + _BATCH]
        draw = Draw(
            data=data,
            audio_of=chosen,
            video_of=video_of[start : start + _BATCH],
            starts=np.zeros(len(chosen), dtype=np.int64),
            shift_frames=shift,
        )
        total += float(objective(draw, step_generator(seed, "usage", start))[part]) * len(chosen)
    return round(total / len(audio_of), 6)


def draw_diagnostics(report: dict[str, Any], path: Path, *, title: str) -> None:
    """Draw the shift curves of a report (own loss, probe) with the level of another clip's video, as a PNG.

    Args:
        report: ``usage`` from ``video_usage`` (or None) and ``probes`` from ``probe``.
        path: Path of the PNG.
        title: Title of the plot.
    """
    from matplotlib.figure import Figure  # drawing is needed once a run; its import costs half a second

    panels = [
        (name, part, level)
        for name, part, level in (
            ("loss of the stage", report["usage"], "loss_shuffled"),
            ("audio read linearly from the condition", report["probes"], "sound_error_shuffled"),
        )
        if part is not None
    ]
    figure = Figure(figsize=(4.6 * len(panels), 3.4), layout="constrained")
    for axes, (name, part, level) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        axes.plot([float(shift) for shift in part["shift_curve"]], list(part["shift_curve"].values()), marker="o")
        axes.axhline(part[level], color="0.5", linestyle="--", label="video of another clip")
        axes.set(xlabel="video late by (s)", ylabel="error", title=name)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    probes = report["probes"]
    figure.suptitle(f"{title}: onset AP {_said(probes['onset_ap'])}, class {_said(probes['class_accuracy'])}")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def _said(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
