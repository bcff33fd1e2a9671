"""The table of faults found from outside names tests that are there."""

import fnmatch
import re
from pathlib import Path

TESTS = Path(__file__).parent
ROWS = [
    line for line in (TESTS / "faults.md").read_text(encoding="utf-8").splitlines() if re.match(r"\| [WDRSP]\d", line)
]
COUNTS = {"W": 14, "D": 13, "R": 11, "S": 6, "P": 6}


def test_every_fault_has_a_row():
    names = [row.split("|")[1].strip() for row in ROWS]
    assert names == [f"{kind}{number + 1}" for kind, n in COUNTS.items() for number in range(n)]


def named_tests(row):
    """Yield (path, pattern of a test's name) of a row; ``..._name`` stands in the file before it."""
    path = ""
    for quoted in re.findall(r"`([^`]+)`", row.split("|")[4]):
        if quoted.startswith("..._"):
            yield path, f"test_{quoted[4:]}"
        elif quoted.endswith((".py", "/")) or "::" in quoted:
            path, _, name = quoted.partition("::")
            yield path, name or "test_*"


def test_every_test_that_is_named_is_there():
    written = {
        path.relative_to(TESTS.parent).as_posix(): re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
        for path in TESTS.rglob("test_*.py")
    }
    absent = []
    for row in ROWS:
        found = list(named_tests(row))
        assert found, row
        for path, pattern in found:
            files = [
                at for at in written if at == path or at.endswith(f"/{path}") or (path.endswith("/") and path in at)
            ]
            if not any(fnmatch.fnmatch(name, pattern) for at in files for name in written[at]):
                absent.append(f"{row.split('|')[1]}: {path}::{pattern}")
    assert not absent
