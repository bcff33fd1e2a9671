"""The code blocks of README and docs, and what their marks say.

A mark is an HTML comment above a block; readers do not see it:

- ``<!-- adds: OPTIONS | reason -->``: the test adds these options to each command (few clips, a dry run);
- ``<!-- exit: CODES | reason -->``: the commands end with one of these codes ("0 or 3"), not with 0;
- ``<!-- parse: reason -->``: the commands are parsed and not run;
- ``<!-- installs: what -->``: ``pip install`` of a folder made by the page is done into a folder of the test, other
  installations are checked and not done;
- ``<!-- file: NAME -->``: the block is the file of that name, which later blocks use.
"""

from __future__ import annotations

import dataclasses
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MARKS = ("adds", "exit", "parse", "installs", "file")
_MARK = re.compile(r"\s*<!-- ([a-z]+): (.*?) -->\s*")
_FENCE = re.compile(r"(\s*)```(\w*)\s*")


@dataclasses.dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: The file.
        line: Number of its first line.
        language: What stands after the fence.
        text: The code, without the fence's indentation.
        marks: Mark -> what it says.
    """

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, str]

    @property
    def name(self) -> str:
        """Where it stands."""
        return f"{self.page.name}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block without comments; parts joined by ``&&`` apart."""
        lines = re.sub(r"\\\n\s*", " ", self.text).splitlines()
        bare = [re.sub(r"(^|\s)#.*$", "", line).strip() for line in lines]
        return [part.strip() for line in bare for part in line.split("&&") if part.strip()]

    @property
    def added(self) -> list[str]:
        """The options that the test adds."""
        return self.marks.get("adds", "").partition("|")[0].split()

    @property
    def codes(self) -> set[int]:
        """The exit codes that are right; of a few clips in place of many also 3, since that result is partial."""
        usual = "0 or 3" if "--limit" in self.added else "0"
        return {int(code) for code in re.findall(r"[0-9]+", self.marks.get("exit", usual).partition("|")[0])}


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        if mark := _MARK.fullmatch(line):
            marks[mark[1]] = mark[2]
        elif fence := _FENCE.fullmatch(line):
            code = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                code.append(inner)
            found.append(Block(page, number, fence[2], textwrap.dedent("\n".join(code)) + "\n", marks))
            marks = {}
        elif line.strip():
            marks = {}
    return found


ALL = [block for page in PAGES for block in blocks_of(page)]
