"""Fixtures around the synthetic results."""

import pytest

from tests import made_results
from tests.leaderboard.browser import BROWSER, FLAGS


@pytest.fixture(scope="session")
def make_result():
    """Return a function that writes one result file and returns its path."""
    return made_results.make_result


@pytest.fixture
def board_folder(tmp_path):
    """Return a folder of results with one of everything."""
    return made_results.make_board(tmp_path / "leaderboards" / "results")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Return a function that opens a page from disk; afterwards nothing may have gone wrong or out."""
    complaints, requests, contexts = [], [], []

    def open_page(path, fragment="", **options):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on(
            "request", lambda r: complaints.append(r.url) if not r.url.startswith(("data:", "file:", "blob:")) else None
        )
        tab.goto(path.as_uri() + fragment)
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("data:", "file:", "blob:"))] == []
