"""Decide which failures are tried again, and when to stop.

Failures go into the record of tries; a run that a site blocks stops.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from foleybench.api.dataset import Item
from foleybench.errors import FoleyError
from foleybench.prepare.pack import Again
from foleybench.prepare.retry_log import Tries, goes_away
from foleybench.prepare.staging import staged_outcome
from foleybench.prepare.worker_pool import Task

MAX_SHUT_OUT = 5
# Signs that a site blocks this machine or cannot be reached, and after how many clips in a row they are believed; going
# on would only prolong the block, or take days to no end. The weak signs may each be the fault of a clip.
_WEAK = 4 * MAX_SHUT_OUT
_UNREACHABLE = "unreachable"
_SHUT_OUT = {
    **dict.fromkeys(("bot_check", "rate_limited", "client_refused"), MAX_SHUT_OUT),
    **dict.fromkeys(("forbidden", "no_format", _UNREACHABLE), _WEAK),
}
RECORDS = ".prepared"


class RetryWatch:
    """The record of tries of every split of a run.

    Args:
        out: Folder of shards and manifests.
        retry: Try failures again that may go away, when they are due.
        retry_now: Try them again without waiting until they are due.
    """

    def __init__(self, out: Path, *, retry: bool, retry_now: bool) -> None:
        self._out = out
        self._retry = retry or retry_now
        self._now_s = float("inf") if retry_now else None
        self._tries: dict[str, Tries] = {}
        self._n_shut_out = 0

    @property
    def retries(self) -> bool:
        """Whether clips of finished splits may be tried again."""
        return self._retry

    def again(self, split: str) -> Again:
        """Return the function that decides whether a clip of a split is to be tried again.

        With ``retry``: every failure that may go away and is due. Without: those of servers only, which is for a run
        that goes on.
        """
        tries = self._of(split)

        def again(item: Item, status: str) -> bool:
            asked = self._retry or goes_away(status)
            return asked and tries.may_try(item.clip_id, status, item.access, now_s=self._now_s)

        return again

    def ended(self, task: Task, status: str) -> None:
        """Take note of a clip that ended.

        Raises:
            FoleyError: The site refused too many clips in a row as requests of a robot, or was not reached for them.
        """
        if status not in _SHUT_OUT:
            self._n_shut_out = 0
        if status == "ok":
            return
        outcome = staged_outcome(task.folder, task.item.clip_id)
        self._of(task.item.split).note(task.item.clip_id, status, outcome.retry_after_s)
        self._n_shut_out += status in _SHUT_OUT
        if self._n_shut_out >= _SHUT_OUT.get(status, _WEAK + 1):
            raise FoleyError(_stopped(self._n_shut_out, status, outcome.reason))

    def _of(self, split: str) -> Tries:
        if split not in self._tries:
            self._tries[split] = Tries(self._out / RECORDS, split)
        return self._tries[split]


def _stopped(n_clips: int, status: str, reason: str) -> str:
    if status == _UNREACHABLE:
        happened, advice = "could not be fetched", "Look after the network (--proxy, where one is needed)"
    else:
        happened = "were refused"
        advice = "Wait some hours, ask less often (--pause, --jobs 1) or with --cookies"
    return (
        f"stopped: {n_clips} clips in a row {happened} ({status}: {reason}). {advice}, and run the same command again: "
        "it goes on from here."
    )


def announce(lines: list[str], split: str, tell: Callable[[str], None] | None) -> None:
    """Tell what a split will take before the split is begun."""
    if tell is not None:
        for line in lines:
            tell(f"{split}: {line}")
