"""What is tried again, when, and when a run stops asking."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from foleybench.api.dataset import Item
from foleybench.errors import FoleyError
from foleybench.prepare.retry_log import Tries
from foleybench.prepare.retry_policy import MAX_SHUT_OUT, RetryWatch
from foleybench.prepare.staging import ItemOutcome, stage_outcome
from foleybench.prepare.worker_pool import Task

NET = {"net": {}}


def item(clip_id: str = "a_000000", access: dict | None = None) -> Item:
    return Item(
        clip_id=clip_id,
        source="",
        source_id="a",
        label="",
        split="test",
        spec={},
        access=NET if access is None else access,
    )


@pytest.mark.parametrize(
    "status",
    ["rate_limited", "bot_check", "server_error", "stalled", "truncated", "forbidden", "client_refused", "no_format"],
)
def test_a_failure_of_the_server_is_due_later(tmp_path: Path, status: str):
    tries = Tries(tmp_path, "test")
    assert tries.may_try("a_000000", status, NET)  # nothing is known of an earlier try
    tries.note("a_000000", status, None)
    for known in (tries, Tries(tmp_path, "test")):
        assert not known.may_try("a_000000", status, NET)
        assert known.may_try("a_000000", status, NET, now_s=known.due_s("a_000000") + 1)


def test_each_further_failure_doubles_the_wait(tmp_path: Path):
    tries = Tries(tmp_path, "test")
    waits = []
    for _ in range(20):
        tries.note("a_000000", "server_error", None)
        waits.append(tries.due_s("a_000000") - time.time())
    assert waits[:3] == pytest.approx([600, 1200, 2400], abs=5)
    assert waits[-1] == pytest.approx(7 * 24 * 3600, abs=5)


def test_what_the_server_asks_for_is_kept(tmp_path: Path):
    tries = Tries(tmp_path, "test")
    tries.note("a_000000", "rate_limited", 90_000.0)
    assert tries.due_s("a_000000") - time.time() == pytest.approx(90_000, abs=5)


@pytest.mark.parametrize(
    "status", ["removed", "private", "age_limited", "region_blocked", "members_only", "drm_protected"]
)
def test_what_is_gone_is_not_asked_for_again_unless_a_file_turns_up(tmp_path: Path, status: str):
    tries = Tries(tmp_path, "test")
    assert not tries.may_try("a_000000", status, NET, now_s=float("inf"))
    assert tries.may_try("a_000000", status, {"path": "/x", "cut_s": 0.0})


@pytest.mark.parametrize("status", ["ok", "no_audio", "undecodable", "too_short", "ends_early"])
def test_what_was_had_is_never_tried_again(tmp_path: Path, status: str):
    assert not Tries(tmp_path, "test").may_try("a_000000", status, {"path": "/x"}, now_s=float("inf"))


def test_a_clip_that_was_not_here_is_tried_when_there_is_a_way(tmp_path: Path):
    tries = Tries(tmp_path, "test")
    assert not tries.may_try("a_000000", "not_here", {})
    assert tries.may_try("a_000000", "not_here", NET)


def test_a_torn_line_is_passed_over(tmp_path: Path):
    tries = Tries(tmp_path, "test")
    tries.note("a_000000", "stalled", None)
    path = tmp_path / "test.tries.jsonl"
    with path.open("a") as handle:
        handle.write(json.dumps({"clip_id": "b_000000"}) + '\n{"clip_id": "c_0')
    again = Tries(tmp_path, "test")
    assert again.due_s("a_000000") > 0
    assert (again.due_s("b_000000"), again.due_s("c_000000")) == (0.0, 0.0)


def ended(watch: RetryWatch, folder: Path, statuses: list[str]) -> None:
    for k, status in enumerate(statuses):
        one = item(f"{k}_000000")
        stage_outcome(folder, one.clip_id, ItemOutcome(status=status, reason="said so"))
        watch.ended(Task(item=one, folder=folder), status)


def test_a_run_that_is_shut_out_stops(tmp_path: Path):
    watch = RetryWatch(tmp_path, retry=False, retry_now=False)
    with pytest.raises(FoleyError, match=r"5 clips in a row were refused \(bot_check: said so\).*again"):
        ended(watch, tmp_path, ["ok", "bot_check", "bot_check", "rate_limited", "bot_check", "bot_check"])


def test_refusals_with_successes_between_them_do_not_stop_a_run(tmp_path: Path):
    watch = RetryWatch(tmp_path, retry=False, retry_now=False)
    ended(watch, tmp_path, (["bot_check"] * (MAX_SHUT_OUT - 1) + ["removed"]) * 3)


@pytest.mark.parametrize(("status", "n"), [("client_refused", 5), ("forbidden", 20), ("no_format", 20)])
def test_r8_other_signs_of_being_shut_out_stop_a_run(tmp_path: Path, status: str, n: int):
    """R8: a client that is refused stops it after five clips, what may be a clip's own fault after twenty."""
    watch = RetryWatch(tmp_path, retry=False, retry_now=False)
    ended(watch, tmp_path, ["ok", *[status] * (n - 1)])
    with pytest.raises(FoleyError, match=rf"{n} clips in a row were refused \({status}: said so\)"):
        ended(watch, tmp_path, [status])


def test_a_run_without_a_network_stops(tmp_path: Path):
    watch = RetryWatch(tmp_path, retry=False, retry_now=False)
    ended(watch, tmp_path, [*["unreachable"] * 19, "ok", *["unreachable"] * 19])
    with pytest.raises(FoleyError, match=r"20 clips in a row could not be fetched \(unreachable: said so\)\..*network"):
        ended(watch, tmp_path, ["unreachable"])


@pytest.mark.parametrize(
    ("retry", "retry_now", "expected"),
    [
        (False, False, {"timeout": False, "stalled": False, "not_here": True}),
        (True, False, {"timeout": True, "stalled": False, "not_here": True}),
        (False, True, {"timeout": True, "stalled": True, "not_here": True}),
    ],
)
def test_what_each_kind_of_run_tries_again(tmp_path: Path, retry: bool, retry_now: bool, expected: dict[str, bool]):
    Tries(tmp_path / ".prepared", "test").note("a_000000", "stalled", None)
    again = RetryWatch(tmp_path, retry=retry, retry_now=retry_now).again("test")
    assert {status: again(item(), status) for status in expected} == expected
