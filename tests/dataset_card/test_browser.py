"""The page in a real browser: from disk, dark and light, wide and narrow, nothing goes wrong or out."""

import shutil

import pytest

from foleybench.dataset_card.counts import read_overview
from foleybench.dataset_card.page import render_card, write_page
from foleybench.prepare.duplicate_flags import read_between

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]


def test_the_page(folder, tmp_path):
    from playwright.sync_api import sync_playwright

    path = tmp_path / "overview.html"
    overviews = [read_overview(folder / f"{split}.manifest.jsonl") for split in ("test", "train")]
    write_page(path, render_card(overviews, read_between(folder), n_thumbnails=6))
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
            tab = context.new_page()
            tab.on("console", lambda message: complaints.append(message.text))
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.on("dialog", lambda dialog: complaints.append(dialog.message))
            tab.on("request", lambda r: None if r.url.startswith(("data:", "file:")) else complaints.append(r.url))
            tab.goto(path.as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") == width
            sizes = tab.eval_on_selector_all(".sheet img", "found => found.map(i => i.naturalWidth)")
            assert len(sizes) == 6
            assert min(sizes) > 0
            before = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            tab.locator("#theme").click()
            assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != before
            context.close()
        browser.close()
    assert complaints == []
