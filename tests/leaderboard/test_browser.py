"""The leaderboard page in a real browser: sorting, drawer, controls, no errors, no network."""

import csv
from pathlib import Path

import pytest

from foleybench.artefacts.entries import read_all
from foleybench.artefacts.published import read_published, tables
from foleybench.leaderboard import page
from foleybench.leaderboard.board import make_boards
from tests.leaderboard.browser import NEEDS_BROWSER
from tests.made_results import make_board, make_result

PUBLISHED = Path(__file__).parents[2] / "leaderboards" / "published.csv"
# Figures of reported numbers whose table is wider than they are, and cannot be scrolled: it would lie over the next.
OVER_THE_EDGE = """[...document.querySelectorAll('.papers figure')]
    .filter(figure => figure.scrollWidth > figure.clientWidth + 1).map(figure => figure.innerText)"""
CROWDED = ("event_f1", "class_accuracy", "fad_mini", "seconds_per_clip")

pytestmark = NEEDS_BROWSER


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    home = tmp_path_factory.mktemp("page")
    boards = make_boards(read_all(make_board(home / "results")))
    path = home / "index.html"
    path.write_text(page.render_leaderboard(boards, tables(read_published(PUBLISHED))), encoding="utf-8")
    return path


def column(tab, index, group=0):
    cells = f"table.results tbody:nth-of-type({group + 1}) tr:not(.divider) > :nth-child({index + 1})"
    return tab.eval_on_selector_all(cells, "found => found.map(c => c.dataset.value ?? null)")


def test_sort_by_click(visit, board):
    tab = visit(board)
    heading = tab.locator("th[data-metric=kld_mini]")
    heading.locator(".sort").click()
    assert heading.get_attribute("aria-sort") == "ascending"  # lower is better: best first
    values = column(tab, 2)
    assert values[-1] is None  # stale: no number, last
    numbers = [float(v) for v in values[:-1]]
    assert numbers == sorted(numbers)
    heading.locator(".sort").click()
    assert heading.get_attribute("aria-sort") == "descending"
    values = column(tab, 2)
    assert values[-1] is None
    assert [float(v) for v in values[:-1]] == sorted(numbers, reverse=True)
    assert tab.locator("[aria-sort]").count() == 1


def test_sorting_keeps_pinned_rows_pinned(visit, board):
    tab = visit(board)
    before = set(column(tab, 0, 2))
    tab.locator("th[data-metric=event_f1] .sort").click()
    assert set(column(tab, 0, 2)) == before == {"True events", "Noise"}
    assert column(tab, 0, 1) == ["Half done"]
    assert tab.locator("tbody.pinned tr").first.get_attribute("class") == "divider"


def test_controls_are_folded_until_asked_for(visit, board):
    tab = visit(board)
    noise = tab.locator("th[data-value=Noise]")
    assert noise.is_hidden()
    assert tab.locator("th[data-value='Half done']").is_visible()
    tab.locator(".fold").click()
    assert noise.is_visible()
    tab.locator(".fold").click()
    assert noise.is_hidden()


def test_search_finds_folded_rows_and_forgets(visit, board):
    tab = visit(board)
    tab.locator("#find").fill("NOI")
    rows = "table.results tbody tr:not(.divider)"
    assert tab.locator(f"{rows}:visible").count() == 1
    assert tab.locator("th[data-value=Noise]").is_visible()
    tab.locator("#find").fill("nothing like this")
    assert tab.locator("#nothing").is_visible()
    assert tab.locator("section.board").is_hidden()
    tab.locator("#find").fill("")
    assert tab.locator("th[data-value=Alpha]").is_visible()
    assert tab.locator("th[data-value=Noise]").is_hidden()


def test_a_column_opens_its_card(visit, board):
    tab = visit(board)
    tab.locator("th[data-metric=event_f1] .named").click()
    assert "matched one to one" in tab.locator("dialog[open]").inner_text()
    assert tab.locator("th[data-metric=event_f1]").get_attribute("aria-sort") == "descending"  # not sorted anew


def test_a_cue_says_where_columns_go_on(visit, board):
    tab = visit(board)
    frame = tab.locator(".frame").first
    classes = lambda: frame.get_attribute("class").split()  # noqa: E731
    tab.set_viewport_size({"width": 1366, "height": 800})
    tab.wait_for_function("!document.querySelector('.frame').classList.contains('goes-on')")  # all columns fit
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.wait_for_function("document.querySelector('.frame').classList.contains('goes-on')")
    first = tab.locator("th[data-value=Alpha]")
    left = first.bounding_box()["x"]
    tab.evaluate("document.querySelector('.frame .scroll').scrollLeft = 1e6")
    tab.wait_for_function("!document.querySelector('.frame').classList.contains('goes-on')")
    assert first.bounding_box()["x"] == pytest.approx(left, abs=1.5)  # the names stay
    assert "goes-on" not in classes()


OVERLAPS = """[...document.querySelectorAll('svg.plot')].flatMap(svg => {
    const boxes = [...svg.querySelectorAll('text.label')].map(t => [t.textContent, t.getBoundingClientRect()]);
    return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) =>
        Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 &&
        Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 4).map(([b]) => a + ' / ' + b));
})"""


def test_no_label_lies_over_another(visit, board, tmp_path):
    assert visit(board).evaluate(OVERLAPS) == []
    for index in range(14):  # a crowd at one place
        name = f"a_system_of_a_long_name_{index}"
        make_result(tmp_path / "crowd", name, skill=0.9 + 0.001 * index, protocol=("synth", 2), metrics=CROWDED)
    path = tmp_path / "crowd.html"
    path.write_text(page.render_leaderboard(make_boards(read_all(tmp_path / "crowd")), []), encoding="utf-8")
    tab = visit(path)
    assert tab.locator("svg.plot text.label").count() > 40
    assert tab.evaluate(OVERLAPS) == []


def test_sort_by_name_and_keyboard(visit, board):
    tab = visit(board)
    tab.locator("thead .sort").first.focus()
    tab.keyboard.press("Enter")
    assert column(tab, 0) == ["Alpha", "Beta", "Delta", "Gamma"]


def test_drawer(visit, board):
    tab = visit(board)
    tab.get_by_role("button", name="Alpha").click()
    drawer = tab.locator("dialog[open]")
    assert drawer.is_visible()
    assert "foleybench eval --model alpha" in drawer.inner_text()
    box = drawer.bounding_box()
    assert box["width"] == pytest.approx(560, abs=1)
    assert box["height"] == pytest.approx(900, abs=1)
    tab.keyboard.press("Escape")
    assert tab.locator("dialog[open]").count() == 0
    tab.get_by_role("button", name="Beta").click()
    tab.mouse.click(50, 500)  # beside the drawer
    assert tab.locator("dialog[open]").count() == 0


def test_download(visit, board, tmp_path):
    tab = visit(board, accept_downloads=True)
    with tab.expect_download() as waiting:
        tab.locator(".download").click()
    waiting.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open() as handle:
        lines = list(csv.DictReader(handle))
    assert {line["system"] for line in lines} == {
        "Alpha",
        "Beta",
        "Gamma",
        "Delta",
        "Half done",
        "True events",
        "Noise",
    }
    (alpha,) = [line for line in lines if line["system"] == "Alpha"]
    assert alpha["kind"] == "model"
    assert float(alpha["event_f1_low"]) < float(alpha["event_f1"]) < float(alpha["event_f1_high"])
    assert alpha["event_f1_rank"] == "1-2"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colour_schemes_and_no_sideways_scroll(visit, board, scheme):
    tab = visit(board, color_scheme=scheme)
    background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(19, 22, 25)") == (scheme == "dark")
    tab.locator("#theme").click()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != background
    for width in (390, 800, 1280):
        tab.set_viewport_size({"width": width, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate(OVER_THE_EDGE) == []
