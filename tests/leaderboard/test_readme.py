"""The index of the published pages."""

import re
from pathlib import Path

FOLDER = Path("leaderboards")


def test_every_page_is_listed_and_every_link_leads_somewhere():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    linked = {(FOLDER / link).resolve() for link in re.findall(r"\]\(([^)]+)\)", text)}
    pages = {path.resolve() for path in FOLDER.rglob("*.md") if path.name != "README.md"}
    assert pages <= linked
    assert all(path.is_file() for path in linked)
