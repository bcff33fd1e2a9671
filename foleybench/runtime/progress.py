"""Show a long command's progress as a bar or lines.

On a terminal it is tqdm's bar. Anywhere else (a log file, CI, a batch system) a line comes every half minute, also
while no item is finished, so that a run that waits can be told from one that hangs.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sized
from types import TracebackType
from typing import Any

from tqdm import tqdm

LINE_EVERY_S = 30.0


class Progress:
    """Goes through an iterable, or is updated by hand, as a ``tqdm`` does.

    Example:
        >>> with Progress(total=2, desc="eval", unit="clip") as bar:
        ...     bar.update()
    """

    def __init__(
        self,
        iterable: Iterable[Any] | None = None,
        *,
        total: int | None = None,
        initial: int = 0,
        desc: str = "",
        unit: str = "it",
        unit_scale: bool = False,
        disable: bool = False,
    ) -> None:
        """Begin; the first line comes after half a minute.

        Args:
            iterable: The items, or None.
            total: Number of items in the end; by default that of the iterable.
            initial: Items done before.
            desc: Name of the work.
            unit: Name of an item.
            unit_scale: Whether to write 1200 as 1.2k.
            disable: Whether to show nothing at all.
        """
        self._iterable = iterable
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        self._facts: dict[str, Any] = {"initial": initial, "total": total, "unit": unit, "unit_scale": unit_scale}
        self._n, self._began_s, self._note, self._desc = initial, time.monotonic(), "", desc
        self._over = threading.Event()
        self._bar: Any = None
        if sys.stderr.isatty() and not disable:
            self._bar = tqdm(desc=desc, file=sys.stderr, **self._facts)
        elif not disable:
            threading.Thread(target=_write_lines, args=(weakref.ref(self), self._over), daemon=True).start()

    def __iter__(self) -> Iterator[Any]:
        """Yield the items, each of them done when the next one is asked for."""
        with self:
            for item in self._iterable or ():
                yield item
                self.update()

    def __enter__(self) -> Progress:
        """Return the object itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End."""
        self.close()

    def update(self, n: int = 1) -> None:
        """Count items that are done."""
        self._n += n
        if self._bar is not None:
            self._bar.update(n)

    def note(self, **values: object) -> None:
        """Show values behind the numbers, until others are given."""
        self._note = "".join(f", {name} {value}" for name, value in values.items())
        if self._bar is not None:
            self._bar.set_postfix(values, refresh=False)

    def close(self) -> None:
        """Stop writing lines."""
        self._over.set()
        if self._bar is not None:
            self._bar.close()

    def line(self) -> str:
        """Return the items done, the rate, and the time left."""
        left = ", {remaining} left" if self._facts["total"] is not None else ""
        of = "/{total_fmt}" if self._facts["total"] is not None else ""
        begun = f"{self._desc}: " if self._desc else ""
        shown = (
            begun.replace("{", "{{").replace("}", "}}") + "{n_fmt}" + of + " {unit}, {rate_fmt}, {elapsed} gone" + left
        )
        elapsed_s = time.monotonic() - self._began_s
        return str(tqdm.format_meter(self._n, elapsed=elapsed_s, bar_format=shown, **self._facts)) + self._note


def say(text: str) -> None:
    """Write a line to standard error, above the bar where there is one."""
    tqdm.write(text, file=sys.stderr)


def _write_lines(seen: weakref.ref[Progress], over: threading.Event) -> None:
    """Write a line every half minute, as long as the object is referenced and not closed."""
    while not over.wait(LINE_EVERY_S):
        shown = seen()
        if shown is None:
            return
        sys.stderr.write(f"{shown.line()}\n")
        sys.stderr.flush()
        del shown
