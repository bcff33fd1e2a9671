"""Made raters use the page in a real browser; what they like comes out of ``votes``."""

import json
import random

import pytest

from foleybench.artefacts.listening import read_key
from foleybench.artefacts.people import read_people
from foleybench.cli import main
from tests.leaderboard.browser import BROWSER, FLAGS, NEEDS_BROWSER
from tests.people.conftest import SYSTEMS

pytestmark = NEEDS_BROWSER

# What a rater does: listens to both sounds of every trial until the page lets it answer, and answers as told.
RATER = """async (choices) => {
    const pause = (ms) => new Promise((go) => setTimeout(go, ms));
    const $ = (s) => document.querySelector(s);
    const name = (m) => m.getAttribute('src').replace(/^media\\/|\\.flac$/g, '');
    while (!$('#trial').hidden) {
        const at = $('#at').textContent;
        for (const side of ['a', 'b']) {
            while (!$(`.sound[data-side=${side}]`).classList.contains('heard')) {
                if ($('video').paused) $(`.sound[data-side=${side}]`).click();
                await pause(40);
            }
            $(`.sound[data-side=${side}][aria-pressed=true]`)?.click();  // pause
            await pause(20);
        }
        const pair = name($('audio.a')) + ' ' + name($('audio.b'));
        $(`.answer[data-choice=${choices[pair]}]`).click();
        while ($('#at').textContent === at && !$('#trial').hidden) await pause(20);
    }
    return document.querySelector('#text').value;
}"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=BROWSER, args=[*FLAGS, "--autoplay-policy=no-user-gesture-required"]
        )
        yield made
        made.close()


@pytest.fixture
def visit(browser, listening_test):
    complaints, contexts = [], []

    def open_page(fragment="", width=1366, script="", **options):
        context = browser.new_context(viewport={"width": width, "height": 800}, accept_downloads=True, **options)
        contexts.append(context)
        if script:
            context.add_init_script(script)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda r: None if r.url.startswith(("data:", "file:", "blob:")) else complaints.append(r.url))
        tab.goto((listening_test / "page" / "index.html").as_uri() + fragment)
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def begin(tab, rater):
    tab.locator("#rater").fill(rater)
    tab.locator("#begin button").click()


def choices(key, likes):
    """Answer every pair of sounds of a clip by how much a system is liked; at random without ``likes``."""
    found = {}
    rng = random.Random(5)
    for left, (clip, one) in key.sounds.items():
        for right, (same, other) in key.sounds.items():
            if clip == same and left != right:
                a, b = (likes[one], likes[other]) if likes else (rng.random(), rng.random())
                found[f"{left} {right}"] = "left" if a > b else "right" if b > a else "same"
    return found


REAL = {"ground_truth": 9, "other_class": 0}


def test_what_made_raters_like_comes_out(visit, listening_test, tmp_path, capsys):
    """Three raters like exact, late, noise (the third cannot tell the last two); the fourth answers blindly.

    They listen at the same time, each in a browser window of its own: listening takes as long as the sounds do.
    """
    key = read_key(listening_test / "key.json")
    first = dict(zip(SYSTEMS, (3, 2, 1), strict=True)) | REAL
    unsure = dict(zip(SYSTEMS, (3, 1, 1), strict=True)) | REAL
    raters = {"1": first, "2": first, "3": unsure, "4": None}
    tabs = []
    for rater, likes in raters.items():
        tab = visit(f"#rater={rater}")
        assert tab.locator("#rater").input_value() == rater
        tab.locator("#begin button").click()
        tab.evaluate(f"(choices) => {{ window.judged = ({RATER})(choices); }}", choices(key, likes))
        tabs.append(tab)
    files = []
    for tab in tabs:
        shown = json.loads(tab.evaluate("window.judged"))
        assert tab.locator("#done").inner_text() == "You judged all 14 pairs."
        with tab.expect_download() as waiting:
            tab.locator("#save").click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        saved = json.loads(path.read_text())
        assert {**saved, "saved": ""} == {**shown, "saved": ""}
        files.append(str(path))
    out = tmp_path / "people"
    words = [
        "votes",
        *files,
        "--key",
        str(listening_test / "key.json"),
        "--out",
        str(out),
        "--csv",
        str(tmp_path / "v.csv"),
    ]
    assert main(words) == 3  # a rater is left out
    told = capsys.readouterr()
    found = read_people(next(out.iterdir()))
    assert told.out.strip() == str(next(out.iterdir()))
    assert [one["rater"] for one in found["screening"]["excluded"]] == ["4"]
    assert "left out: rater 4" in told.err
    scores = {name: system["score"]["value"] for name, system in found["systems"].items()}
    assert sorted(scores, key=scores.get) == ["noise_one", "late_one", "exact_one"]
    pairs = {(pair["first"], pair["second"]): pair for pair in found["pairs"]}
    assert pairs["exact_one", "noise_one"]["rate"]["value"] == 1.0
    assert 0.5 < pairs["late_one", "noise_one"]["rate"]["value"] < 1.0
    assert found["n"]["raters"] == 3
    assert main(["votes", str(tmp_path / "v.csv"), "--out", str(tmp_path / "again")]) == 0
    again = read_people(next((tmp_path / "again").iterdir()))
    for name in scores:
        assert again["systems"][name]["score"]["value"] == pytest.approx(scores[name])


def test_answers_wait_until_both_were_heard(visit):
    tab = visit()
    begin(tab, "somebody")
    answers = tab.locator(".answer")
    assert [answers.nth(i).is_disabled() for i in range(3)] == [True] * 3
    tab.locator(".sound[data-side=a]").click()
    tab.wait_for_function("document.querySelector('.sound[data-side=a]').classList.contains('heard')")
    assert answers.first.is_disabled()
    muted = "[...document.querySelectorAll('audio')].map(a => a.muted)"
    assert tab.evaluate(muted) == [False, True]
    tab.wait_for_function("document.querySelector('video').paused")
    tab.keyboard.press("b")
    assert tab.evaluate(muted) == [True, False]
    tab.wait_for_function("!document.querySelector('.answer').disabled")


def test_both_sounds_run_on_the_clock_of_the_picture(visit):
    tab = visit()
    begin(tab, "5")
    tab.locator(".sound[data-side=a]").click()
    tab.wait_for_function("document.querySelector('video').currentTime > 0.3")
    tab.locator(".sound[data-side=b]").click()  # the other sound, at the same instant
    times = tab.evaluate("['video', 'audio.a', 'audio.b'].map(s => document.querySelector(s).currentTime)")
    assert times[0] > 0.3
    assert max(times) - min(times) < 0.1  # measured 0.02 s
    assert not tab.evaluate("document.querySelector('video').paused")


ONE_VOTE = """() => {
    document.querySelectorAll('.answer').forEach(b => { b.disabled = false; });
    document.querySelector('.answer[data-choice=left]').click();
}"""


def test_progress_survives_a_reload_and_back_corrects(visit):
    tab = visit()
    begin(tab, "anna 2")
    tab.evaluate(ONE_VOTE)
    tab.evaluate(ONE_VOTE)
    assert tab.locator("#at").inner_text() == "3"
    tab.reload()
    assert tab.locator("#rater").input_value() == "anna 2"
    tab.locator("#begin button").click()
    assert tab.locator("#at").inner_text() == "3"
    tab.locator("#back").click()
    assert tab.locator(".answer.chosen").inner_text() == "A"
    tab.locator(".answer[data-choice=same]").click()  # a vote that is there can be changed at once
    tab.locator("#leave").click()
    assert [vote["choice"] for vote in json.loads(tab.locator("#text").input_value())["votes"]] == ["left", "same"]
    assert tab.locator("#done").inner_text() == "You judged 2 of 14 pairs."
    tab.locator("#again").click()
    assert tab.locator("#at").inner_text() == "3"


def test_a_browser_that_keeps_nothing_says_so_and_works(visit):
    broken = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
    tab = visit(script=broken)
    assert tab.locator("#unkept").is_visible()
    begin(tab, "6")
    tab.evaluate(ONE_VOTE)
    assert tab.locator("#at").inner_text() == "2"
    assert visit().locator("#unkept").is_hidden()


def test_copy_without_a_clipboard_shows_the_text(visit):
    tab = visit(script="navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false;")
    begin(tab, "6")
    tab.locator("#leave").click()
    tab.locator("#copy").click()
    tab.wait_for_function("document.querySelector('#said').textContent === 'Copy the text below by hand.'")
    assert tab.locator("#text").is_visible()


@pytest.mark.parametrize("width", [390, 1366])
def test_it_fits_the_screen(visit, width):
    tab = visit(width=width, color_scheme="dark", has_touch=width == 390)
    for step in ("start", "trial", "end"):
        if step == "trial":
            begin(tab, "7")
        if step == "end":
            tab.locator("#leave").click()
        assert tab.locator(f"#{step}").is_visible()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 22, 25)"
    tab.locator("#theme").click()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(19, 22, 25)"


def test_a_number_picks_the_order(visit):
    orders = []
    for rater in ("rater 1", "1", "9"):
        tab = visit()
        begin(tab, rater)
        orders.append(tab.evaluate("document.querySelector('audio.a').getAttribute('src')"))
    assert orders[0] == orders[1] == orders[2]  # 9 is 1 again: there are eight orders
