"""What ``--match-bandwidth`` takes away of the cost of a low-pass, on real clips.

Wants a folder ``<clip>/{gt.mp4, <system>.m4a ...}``. Writes the real sound through low-passes, scores them and one
system with the ordinary command, and writes a page (weights: ``foleybench weights fetch aisfx``):

    python benchmarks/matched_bandwidth.py --clips PAIRS/stav2a --page benchmarks/results/matched_bandwidth.md
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from published_outputs import link
from scipy.signal import butter, sosfiltfilt

from foleybench.clips import FloatArray
from foleybench.media.audio import write_wav
from foleybench.media.hear import hear

SYSTEM = "im2wav"
COLUMNS = (("kld_aisfx", "KLD, nat ↓"), ("similarity_aisfx", "similarity ↑"), ("kad_aisfx", "KAD ↓"))
COLUMNS += (("mel_profile_distance", "mel profile, dB ↓"),)


def butterworth(hz: float) -> Callable[[FloatArray, int], FloatArray]:
    """Return a zero-phase low-pass: order 12, forwards and backwards."""
    return lambda audio, rate: sosfiltfilt(butter(12, hz, fs=rate, output="sos"), audio)


def without_slope(audio: FloatArray, rate: int) -> FloatArray:
    """Return audio whose spectrum is zero above 8 kHz."""
    spectrum = np.fft.rfft(audio)
    spectrum[np.fft.rfftfreq(len(audio), 1 / rate) > 8000] = 0
    return np.fft.irfft(spectrum, len(audio))


CHANGES = {
    "real, low-pass 8 kHz": butterworth(8000),
    "real, low-pass 4 kHz": butterworth(4000),
    "real, no slope, 8 kHz": without_slope,
}


def main() -> int:
    """Make the sounds, score them, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of <clip>/{gt.mp4, <system>.m4a}")
    parser.add_argument("--out", type=Path, default=Path("out/band"), help="work folder (default: out/band)")
    parser.add_argument("--page", type=Path, required=True, help="Markdown file to write")
    args = parser.parse_args()
    folders = lay_out(args.clips, args.out)
    words = ["| | band found |" + "".join(f" {title} | matched |" for _, title in COLUMNS)]
    words += ["|---|---:|" + "---:|" * 2 * len(COLUMNS)]
    for title, folder in folders.items():
        words.append(line(title, scored(folder, args.out)))
        print(words[-1], flush=True)
    n_clips = len(list((args.out / "real").iterdir()))
    head = HEAD.format(n_clips=n_clips, name=args.clips.name)
    args.page.write_text(head + "\n".join(words) + "\n" + FOOT, encoding="utf-8")
    return 0


def lay_out(clips: Path, out: Path) -> dict[str, Path]:
    """Write each version of the sounds into a folder; return title -> folder, the system last."""
    folders = {title: out / f"low{number}" for number, title in enumerate(CHANGES)} | {"Im2Wav": out / SYSTEM}
    for folder in (out / "real", *folders.values()):
        folder.mkdir(parents=True, exist_ok=True)
    for clip in sorted(path for path in clips.iterdir() if path.is_dir()):
        link(clip / "gt.mp4", out / "real" / f"{clip.name}.mp4")
        link(clip / f"{SYSTEM}.m4a", out / SYSTEM / f"{clip.name}.m4a")
        heard = hear(clip / "gt.mp4")
        for title, change in CHANGES.items():
            made = change(heard.audio.astype(np.float64), heard.rate_hz).astype(np.float32)
            write_wav(folders[title] / f"{clip.name}.wav", made, heard.rate_hz)
    return folders


def scored(folder: Path, out: Path) -> dict[str, Any]:
    """Return the result of a folder."""
    words = ("eval", "--audio", folder, "--reference", out / "real", "--protocol", "sfx", "--match-bandwidth")
    kept = ("--cache", out / "cache", "--out", out / "results")
    command = [sys.executable, "-m", "foleybench.cli", *map(str, (*words, *kept))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: FAD has no value below 16 clips
        raise SystemExit(done.returncode)
    result: dict[str, Any] = json.loads(Path(done.stdout.strip()).read_text(encoding="utf-8"))
    return result


def line(title: str, result: dict[str, Any]) -> str:
    """Return a row of the table."""
    band = result["run"]["matched_band"]["hz"]
    cells = [title, f"{band / 1000:.2f} kHz" if band else "whole"]
    for name, _ in COLUMNS:
        record = result["metrics"][name]
        matched = record.get("matched") or {"value": None}
        cells += [f"{value:.3g}" if value is not None else "" for value in (record["value"], matched["value"])]
    return f"| {' | '.join(cells)} |"


HEAD = """# What `--match-bandwidth` takes away of the cost of a low-pass

{n_clips} published clips of VGGSound (`{name}`, 4 s), protocol `sfx`. The low-passes are zero-phase (Butterworth of
order 12 forwards and backwards); "no slope" sets the spectrum above 8 kHz to zero. Made by

```
python benchmarks/matched_bandwidth.py --clips PAIRS/{name} --page benchmarks/results/matched_bandwidth.md
```

"""
FOOT = """
What is left of the low-passes with a slope is the network: it reads 40 dB below the peak of a bin, so it tells one
slope from another where no listener would. How the band is found: `foleybench/media/band.py`. A cut at a frequency
alone, without following the slope, left 0.6 to 1.1 nat at 8 kHz (cuts from 7.8 to 8.175 kHz; tried once, when the
option was made), which is why the slope is followed.
"""

if __name__ == "__main__":
    sys.exit(main())
