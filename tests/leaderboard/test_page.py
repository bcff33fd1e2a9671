"""The page: self-contained, escaped, with reasons, provenance and reported numbers apart."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from foleybench.artefacts.entries import read_all
from foleybench.artefacts.published import read_published, tables
from foleybench.leaderboard import page
from foleybench.leaderboard.board import make_boards
from foleybench.leaderboard.listening import find_sounds
from foleybench.leaderboard.paper_tables import find_paper_tables
from tests import made_results

HOSTILE = "\"><script>alert('x')</script><img src=x onerror=alert(1)>"
PUBLISHED = Path(__file__).parents[2] / "leaderboards" / "published.csv"


class Collector(HTMLParser):
    """Notes every tag with its attributes, and the text of the table cells."""

    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def collect(html):
    collector = Collector()
    collector.feed(html)
    return collector.tags


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    folder = made_results.make_board(tmp_path_factory.mktemp("board") / "leaderboards" / "results")
    return page.render_leaderboard(make_boards(read_all(folder)), tables(read_published(PUBLISHED)))


def test_nothing_is_loaded_from_elsewhere(html):
    for tag, attributes in collect(html):
        for name in ("src", "href", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, value)
    assert "@import" not in html
    assert "url(" not in html
    assert "fetch(" not in html


def test_hostile_text_is_escaped_everywhere(tmp_path, make_result):
    problems = [{"clip_id": HOSTILE, "kind": "missing", "detail": HOSTILE}]
    section = {"description": HOSTILE, "licence": HOSTILE}
    make_result(
        tmp_path,
        "alpha",
        title=HOSTILE,
        section=section,
        problems=problems,
        status="partial",
        labels=(HOSTILE, "bow_saw"),
    )
    make_result(tmp_path, "beta", title="Beta", labels=(HOSTILE, "bow_saw"))
    made = page.render_leaderboard(make_boards(read_all(tmp_path)), [])
    tags = collect(made)
    assert not [tag for tag, _ in tags if tag == "img"]
    assert len([tag for tag, _ in tags if tag == "script"]) == 1
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert HOSTILE not in made
    assert "&lt;script&gt;alert" in made


def test_real_numbers_to_sort_by(html):
    values = [a["data-value"] for tag, a in collect(html) if tag == "td" and "data-low" in a]
    assert values
    assert all(float(value) >= 0 for value in values)


def test_pinned_rows_stand_in_their_own_group(html):
    ranked, _, pinned = html.partition('<tbody class="pinned">')
    assert 'data-value="Alpha"' in ranked
    apart, _, controls = pinned.partition('<tbody class="pinned folds">')
    assert 'data-value="Half done"' in apart
    assert "1 control and 1 oracle: what a metric can see" in controls
    controls = controls.partition("</tbody>")[0]
    assert all(f'data-value="{name}"' in controls for name in ("True events", "Noise"))


def test_empty_cells_tell_why(html):
    assert 'title="speed is not reported"' in html
    assert "made with version 0 of the metric, 2 counts" in html


def test_reported_numbers_are_apart_and_have_sources(html):
    board, _, reported = html.partition('id="reported"')
    assert "V2A-Mapper" not in board
    assert "arXiv 2603.08126, Table 1, row V2A-Mapper [52], column FAD" in reported
    assert "never ranked" in reported


def test_provenance(html):
    drawer = html.partition('<dialog class="drawer"')[2].partition("</dialog>")[0]
    for needed in (
        *("synthfoley/alpha.", "foleybench eval --model alpha", "0123456789abcdef", "a" * 64, "c" * 64, "d" * 64),
        *(
            "2.1.0",
            "cpu",
            "network evaluations",
            "heun",
            "level share",
            "0.25",
            "griffin_lim, 16 iterations",
            "version 1",
        ),
    ):
        assert needed in drawer, needed


def test_ids_are_unique(html):
    ids = [a["id"] for _, a in collect(html) if "id" in a]
    assert len(ids) == len(set(ids))


def test_many_classes_show_the_most_telling(tmp_path, make_result):
    labels = tuple(f"class{i:03d}" for i in range(100))
    for name, skill in (("alpha", 0.9), ("beta", 0.2)):
        make_result(tmp_path, name, labels=labels, n_clips=200, skill=skill)
    made = page.render_leaderboard(make_boards(read_all(tmp_path)), [])
    assert "the 40 of 100 classes that differ most" in made
    heat = made.partition('<table class="heat">')[2].partition("</thead>")[0]
    assert heat.count("<span>class") == 40


def test_without_results():
    assert "No results yet" in page.render_leaderboard([], [])


def headings(made):
    return [tuple(found) for found in re.findall(r'<h2 id="[^"]*-title">(.*?) <span>(.*?)</span></h2>', made)]


def test_the_largest_data_set_comes_first(tmp_path, make_result):
    for dataset, n_clips in (("aaa", 8), ("bbb", 40), ("ccc", 20)):
        make_result(tmp_path, "alpha", dataset=dataset, n_clips=n_clips)
        make_result(tmp_path, "beta", dataset=dataset, n_clips=n_clips, skill=0.9)
    made = page.render_leaderboard(make_boards(read_all(tmp_path)), [])
    assert [dataset for dataset, _ in headings(made)] == ["bbb", "ccc", "aaa"]
    intro = made.partition('<section class="intro">')[2].partition("</section>")[0]
    assert '<figure class="hero">' in intro
    assert "bbb test" in intro
    assert "beta has the best Event F1 (50 ms): " in intro
    assert "over 40 clips and 2 ranked systems." in intro


def test_no_two_tables_share_a_heading(tmp_path, make_result):
    for manifest, protocol in (("a" * 64, "trial"), ("b" * 64, "trial"), ("b" * 64, "other")):
        make_result(tmp_path, "alpha", manifest=manifest, protocol=(protocol, 1))
    make_result(tmp_path, "alpha", dataset="lone")
    found = headings(page.render_leaderboard(make_boards(read_all(tmp_path)), []))
    assert len(found) == len(set(found)) == 4
    assert ("lone", "test") in found  # nothing is added where nothing is alike
    assert any("bbbbbbbb" in words for _, words in found)


def test_a_column_leads_to_its_card(html):
    ids = {a["id"] for tag, a in collect(html) if tag == "dialog"}
    opened = {a["data-open"] for tag, a in collect(html) if tag == "button" and "data-open" in a}
    assert opened <= ids
    assert {"card-event_f1", "card-kld_mini"} <= opened
    card = html.partition('id="card-event_f1"')[2].partition("</dialog>")[0]
    assert "matched one to one" in card
    assert "<dt>Range</dt><dd>0 to 1, ideal 1</dd>" in card


def test_columns_without_ranks_are_named_with_their_reasons(tmp_path, make_result):
    for system in ("alpha", "beta"):
        make_result(tmp_path, system, metrics=("event_f1_25ms", "source_recall"))
    html = page.render_leaderboard(make_boards(read_all(tmp_path)), [])
    assert "Columns without ranks: Source recall (additional sounds cost nothing)." in html
    assert "higher is better; no ranks: additional sounds cost nothing" in html
    card = html.partition('id="card-source_recall"')[2].partition("</dialog>")[0]
    assert "<dt>Ranks</dt><dd>none: additional sounds cost nothing</dd>" in card
    make_result(tmp_path / "other", "alpha", metrics=("event_f1_25ms",))
    assert "without ranks" not in page.render_leaderboard(make_boards(read_all(tmp_path / "other")), [])


def test_a_row_leads_to_its_sound_where_a_listening_page_has_it(board_folder, tmp_path):
    folder = tmp_path / "listening"
    folder.mkdir()
    (folder / "synthfoley.html").write_text('<li class="track" data-track="0" data-name="alpha">')
    made = page.render_leaderboard(make_boards(read_all(board_folder)), [], find_sounds(tmp_path))
    links = [a["href"] for tag, a in collect(made) if tag == "a" and "listening" in a.get("href", "")]
    assert set(links) == {"listening/synthfoley.html#system=alpha"}
    assert "There is no listening page yet" in made  # of the others
    assert find_sounds(tmp_path / "nowhere") == {}


def test_the_papers_tables_beside_the_page_are_linked_in_their_order(tmp_path):
    folder = tmp_path / "reproduce"
    folder.mkdir()
    mark = "<!-- Written by `foleybench reproduce`. -->\n\n"
    (folder / "heldout.md").write_text(f"{mark}# Held-out splits\n\n# More\n")
    (folder / "table2.md").write_text(f"{mark}# Table 2: Parts & flow\n")
    (folder / "notes.md").write_text("# Notes of mine\n")
    found = find_paper_tables(tmp_path)
    assert [table.title for table in found] == ["Table 2: Parts & flow", "Held-out splits"]
    made = page.render_leaderboard([], [], None, found)
    links = [a["href"] for tag, a in collect(made) if tag == "a" and "reproduce" in a.get("href", "")]
    assert links == ["reproduce/table2.md", "reproduce/heldout.md"]
    assert "Table 2: Parts &amp; flow" in made
    assert find_paper_tables(tmp_path / "nowhere") == []
    assert "paper-tables" not in page.render_leaderboard([], [])


def test_names_break_only_after_marks(tmp_path, make_result):
    make_result(tmp_path, "stable_v2a_text")
    assert ">stable_<wbr>v2a_<wbr>text</button>" in page.render_leaderboard(make_boards(read_all(tmp_path)), [])
