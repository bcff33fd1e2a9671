"""How far the sounds of a listening page are from its picture while it plays, in Chromium.

    foleybench report --reference my_videos --audio mine=my_outputs --out report.html
    python benchmarks/listening_sync.py report.html

Positions of all media of the shown clip are read in the page every 50 ms, in one go. Say how busy the machine was: the
load average is printed with the result.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.leaderboard.browser import BROWSER, FLAGS

SHOWN = ".clip:not([hidden])"
START_S = 0.5
READ = f"""(until) => new Promise(done => {{
    const media = [...document.querySelectorAll('{SHOWN} video, {SHOWN} audio')], rows = [];
    const read = () => {{
        rows.push(media.map(one => one.currentTime));
        if (rows.at(-1)[0] < until && !media[0].ended) setTimeout(read, 50); else done(rows);
    }};
    read();
}})"""


def differences(tab: Any, seconds: float) -> np.ndarray:
    """Play the shown clip; return each sound's position minus the picture's, in milliseconds, (readings, sounds)."""
    tab.keyboard.press(" ")
    tab.wait_for_function(f"document.querySelector('{SHOWN} video').currentTime > {START_S}")
    rows = np.asarray(tab.evaluate(READ, seconds))
    tab.keyboard.press(" ")
    return 1000 * (rows[:, 1:] - rows[:, :1])


def main() -> None:
    """Play some clips at each width, and print how far sounds and picture are apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="page written by `foleybench report`")
    parser.add_argument("--clips", type=int, default=3, help="clips that are played (default: 3)")
    parser.add_argument("--seconds", type=float, default=8.0, help="seconds of each (default: 8)")
    parser.add_argument("--widths", type=int, nargs="+", default=[1366, 390], help="widths of the window in pixels")
    args = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=[*FLAGS, "--autoplay-policy=no-user-gesture-required"]
        )
        for width in args.widths:
            tab = browser.new_page(viewport={"width": width, "height": 800})
            tab.goto(args.page.resolve().as_uri())
            for clip in range(args.clips):
                found = np.abs(differences(tab, args.seconds))
                load, middle, high = os.getloadavg()[0], np.median(found), np.percentile(found, 95)
                print(
                    f"{width} px, clip {clip + 1}: {found.shape[0]} readings of {found.shape[1]} sounds; apart "
                    f"by {middle:.1f} ms in the median, {high:.1f} ms at 95 %, {found.max():.1f} ms at most; "
                    f"load {load:.1f}"
                )
                tab.keyboard.press("ArrowRight")
            tab.close()
        browser.close()


if __name__ == "__main__":
    main()
