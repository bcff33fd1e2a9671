"""Name the command that makes a page."""

from __future__ import annotations

from collections.abc import Sequence

from foleybench.reproduce.plan import Setup


def command_text(setup: Setup, pages: Sequence[str]) -> str:
    """Return the command as a page quotes it: with all that decides the numbers, without folders.

    Args:
        setup: Sizes; a page for which some of them decide nothing gives its own.
        pages: What the command makes.

    Example:
        >>> from pathlib import Path
        >>> command_text(Setup(work=Path("w"), results=Path("r"), seeds=1, clips=54), ["table4"])
        'foleybench reproduce table4 --size tiny --seeds 1 --clips 54'
    """
    words = ["foleybench reproduce", *pages, "--size", setup.size, "--seeds", str(setup.seeds)]
    words += ["--steps", str(setup.steps)] if setup.steps else []
    words += ["--nfe", str(setup.nfe)] if setup.nfe else []
    words += ["--clips", str(setup.clips)] if setup.clips else []
    return " ".join(words)
