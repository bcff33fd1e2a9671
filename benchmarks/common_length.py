"""Cut real sound to the length that all outputs of a clip cover.

An output below 95 % of its clip is scored with silence for the rest, which is no fault of the system where a page shows
shorter outputs than real sound. Such a clip's real sound is cut to the shortest output; longer outputs are cut by
``foleybench eval``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foleybench.artefacts.audio_folder import MOSTLY
from foleybench.media.audio import write_wav
from foleybench.media.hear import Heard, hear

# In the work folder: clip -> seconds of its real sound before it was cut.
CUT_FILE = "cut.json"


def cut_to_common_length(work: Path) -> dict[str, float]:
    """Replace links to real sound by its first seconds where an output covers less than 95 % of it.

    Args:
        work: Folder with ``gt/<clip>.*`` and ``audio/<system>/<clip>.*``.

    Returns:
        Clip -> seconds of its real sound before it was cut, also written as ``cut.json``.
    """
    cut = {}
    for path in sorted(path for path in (work / "gt").iterdir() if path.is_symlink()):
        real = hear(path)
        shortest = min(_seconds(hear(output)) for output in (work / "audio").glob(f"*/{path.stem}.*"))
        if shortest < MOSTLY * _seconds(real):
            cut[path.stem] = round(_seconds(real), 4)
            path.unlink()
            write_wav(path.with_suffix(".wav"), real.audio[: int(shortest * real.rate_hz)], real.rate_hz, exact=True)
    (work / CUT_FILE).write_text(json.dumps(cut, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return cut


def cut_clips(work: Path) -> dict[str, float]:
    """Return what ``cut_to_common_length`` cut; nothing where it did not run."""
    path = work / CUT_FILE
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def require_whole(result: Mapping[str, Any]) -> None:
    """Refuse a result with an output below 95 % of its clip: the tool does not rank it, so neither does the page.

    Raises:
        SystemExit: The message names the clips.
    """
    short = [f"{one['clip_id']} ({one['detail']})" for one in result["problems"] if one["kind"] == "too_short"]
    if short:
        name = f"{result['dataset']['name']}/{result['model']['name']}"
        raise SystemExit(
            f"{name} has outputs below {100 * MOSTLY:.0f} % of their clips: {', '.join(short)}. Remove the results of "
            "the set and score it again from an empty work folder."
        )


def _seconds(heard: Heard) -> float:
    return len(heard.audio) / heard.rate_hz
