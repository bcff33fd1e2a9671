"""Draw contact sheets: frames above the spectrogram, with events.

Audible events are solid lines, silent ones dashed, off-screen ones dotted; spans are bars with their curve.

Run ``python -m foleybench.synthfoley.contact_sheet FOLDER`` for one sheet a class and an overview.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.signal

from foleybench.clips import Clip, Clock, Event, FrameArray
from foleybench.synthesis.splits import CorpusOptions
from foleybench.synthfoley.classes import class_names
from foleybench.synthfoley.render import render_clip
from foleybench.synthfoley.splits import split_specs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TILES = 14
_HEIGHT_IN = 2.4
_STYLE = {"audible": "-", "silent": "--", "offscreen": ":"}
_INK = {"audible": "#ff3b30", "silent": "#35c2ff", "offscreen": "#ffd60a"}
_WINDOW_S = 0.016
_FLOOR_DB = -75.0


def contact_sheet(clips: Sequence[Clip], path: Path, *, width_in: float = 13.0) -> None:
    """Draw clips one below the other and write a PNG.

    Args:
        clips: With frames, audio and events.
        path: Where the image goes; its folder is made.
        width_in: Width in inches, at 100 dots an inch.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, _HEIGHT_IN * len(clips) + 0.3), dpi=100)
    FigureCanvasAgg(figure)
    rows = figure.add_gridspec(len(clips), 1, hspace=0.2, left=0.04, right=0.985, top=0.985, bottom=0.03)
    for k, clip in enumerate(clips):
        pair = rows[k].subgridspec(2, 1, height_ratios=[1.0, 1.15], hspace=0.03)
        strip, spectrogram = figure.add_subplot(pair[0]), figure.add_subplot(pair[1])
        _strip(strip, clip)
        _spectrogram(spectrogram, clip)
        for axes in (strip, spectrogram):
            _marks(axes, clip.events or ())
            axes.set_xlim(0.0, clip.duration_s)
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"savefig.facecolor": "white"}):
        figure.savefig(path, metadata={"Software": None})


def corpus_sheets(folder: Path, clips_per_class: Sequence[Sequence[Clip]]) -> list[Path]:
    """Write ``<class>.png`` for each list of clips of one class, and ``overview.png`` with the first of each.

    Returns:
        The paths written.
    """
    paths = []
    for clips in clips_per_class:
        paths.append(folder / f"{clips[0].label}.png")
        contact_sheet(clips, paths[-1])
    paths.append(folder / "overview.png")
    contact_sheet([clips[0] for clips in clips_per_class], paths[-1])
    return paths


def first_clips(options: CorpusOptions, n_per_class: int) -> list[list[Clip]]:
    """Render the first clips of each class of the test split."""
    specs = split_specs("test", options)
    return [[render_clip(s) for s in specs if s.label == name][:n_per_class] for name in class_names()]


def _strip(axes: Axes, clip: Clip) -> None:
    tiles = _tiles(clip)
    n, height, width = tiles.shape[:3]
    axes.imshow(
        tiles.transpose(1, 0, 2, 3).reshape(height, n * width, 3),
        extent=(0.0, clip.duration_s, 0.0, 1.0),
        aspect="auto",
        interpolation="nearest",
    )
    factors = clip.factors
    facts = [f"{clip.label}", *(f"{factors[name]}" for name in ("material",) if name in factors)]
    facts += [f"{name} {factors[name]:.2f}" for name in ("size", "tempo", "distance_m") if name in factors]
    axes.set_title("  ".join([*facts, clip.clip_id]), fontsize=8, loc="left", pad=2)
    axes.set_yticks([])
    axes.set_xticks([])


def _tiles(clip: Clip) -> FrameArray:
    if clip.frames is None:
        return np.zeros((_TILES, 8, 8, 3), dtype=np.uint8)
    return clip.frames[Clock.nearest(clip.frame_times_s, Clock(clip.duration_s).centres(_TILES))]


def _spectrogram(axes: Axes, clip: Clip) -> None:
    if clip.audio is None:
        return
    axes.imshow(
        _log_power(clip),
        origin="lower",
        aspect="auto",
        extent=(0.0, clip.duration_s, 0.0, clip.rate_hz / 2000.0),
        cmap="magma",
        vmin=_FLOOR_DB,
        vmax=-10.0,
    )
    axes.set_ylabel("kHz", fontsize=7)
    axes.tick_params(labelsize=7, length=2, pad=1)


def _log_power(clip: Clip) -> npt.NDArray[Any]:
    assert clip.audio is not None
    window = int(_WINDOW_S * clip.rate_hz)
    _, _, power = scipy.signal.spectrogram(
        np.pad(clip.audio, window // 2),
        clip.rate_hz,
        nperseg=window,
        noverlap=window // 2,
        mode="magnitude",
        scaling="spectrum",
    )
    return np.asarray(20.0 * np.log10(power + 1e-9))


def _marks(axes: Axes, events: Sequence[Event]) -> None:
    for event in events:
        state = "silent" if not event.audible else ("audible" if event.visible else "offscreen")
        if event.kind == "onset":
            axes.axvline(event.time_s, color=_INK[state], linestyle=_STYLE[state], linewidth=0.9)
            continue
        top = axes.get_ylim()[1]
        curve = np.asarray(event.factors.get("curve", [1.0, 1.0]), dtype=float)
        times = np.linspace(event.time_s, event.time_s + event.duration_s, len(curve))
        axes.plot(times, top * (0.05 + 0.4 * np.abs(curve)), color=_INK[state], linestyle=_STYLE[state], linewidth=1.0)


if __name__ == "__main__":
    for written in corpus_sheets(Path(sys.argv[1]), first_clips(CorpusOptions(), 4)):
        sys.stdout.write(f"{written}\n")
