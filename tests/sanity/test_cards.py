"""The committed cards: their texts are those of the metrics, their measurements stay."""

from pathlib import Path

import pytest

from foleybench import registry
from foleybench.cli import main
from foleybench.sanity import cards
from foleybench.sanity.run import CurvePoint, SanityOutcome

FOLDER = Path(__file__).parents[2] / "docs" / "metric_cards"
CARDS = sorted(path for path in FOLDER.glob("*.md") if path.stem != "index")


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_committed_texts_are_those_of_the_metrics(card):
    head = card.read_text().partition("## What it sees")[0]
    assert head == cards.head(card.stem), "write them again: foleybench sanity --card-texts docs/metric_cards"


def test_every_metric_has_a_card_and_stands_in_the_index():
    lacking = set(registry.names("metrics")) - {card.stem for card in CARDS}
    assert not lacking, "write them: foleybench sanity --card-texts docs/metric_cards --every-metric"
    told = (FOLDER / "index.md").read_text()
    assert told == cards.index(FOLDER), (
        "write it again: foleybench sanity --card-texts docs/metric_cards --every-metric"
    )
    assert "| [Event F1 (50 ms)](event_f1.md) | `event_f1` | ↑ | 1 | synth | yes |" in told


def test_a_card_is_made_for_a_metric_without_one_and_none_is_overwritten(tmp_path, monkeypatch, capsys):
    names = registry.names
    few = ["fad_mini", "silence_share"]
    monkeypatch.setattr(registry, "names", lambda kind: few if kind == "metrics" else names(kind))
    card = tmp_path / "fad_mini.md"
    card.write_text(cards.head("fad_mini") + "## What it sees (a set, 3 clips)\n\nmeasured\n")
    assert main(["sanity", "--card-texts", str(tmp_path), "--every-metric"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / n) for n in ("fad_mini.md", "index.md", "silence_share.md")
    ]
    assert card.read_text().endswith("measured\n")
    made = (tmp_path / "silence_share.md").read_text()
    assert made.startswith(cards.head("silence_share"))
    assert "Not measured yet" in made
    assert main(["sanity", "--data", "x", "--every-metric"]) == 1


def test_texts_are_written_again_and_measurements_stay(tmp_path, capsys):
    card = tmp_path / "fad_mini.md"
    measured = "## What it sees (a set, 3 clips)\n\n| White noise | from 7 dB |\n"
    card.write_text("# An old title\n\nOld words.\n\n" + measured)
    (tmp_path / "notes.md").write_text("not a card")
    assert main(["sanity", "--card-texts", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{card}\n"
    assert card.read_text() == cards.head("fad_mini") + measured
    assert card.read_text().startswith("# FAD (mini)\n\n`fad_mini`. FAD (mini): ")
    assert "| Undefined | fewer than 24 clips, or no clip has an embedding |" in card.read_text()
    assert (tmp_path / "notes.md").read_text() == "not a card"


def test_what_is_no_card_is_left_alone(tmp_path, capsys):
    assert main(["sanity", "--card-texts", str(tmp_path)]) == 1
    assert "holds no card of a metric" in capsys.readouterr().err
    (tmp_path / "fad_mini.md").write_text("my own notes")
    assert main(["sanity", "--card-texts", str(tmp_path)]) == 1
    assert "fad_mini.md has no line '## What it sees'" in capsys.readouterr().err
    assert (tmp_path / "fad_mini.md").read_text() == "my own notes"


def test_a_bar_in_a_fact_does_not_end_its_cell(monkeypatch):
    monkeypatch.setattr(cards, "metric_facts", lambda name: {"Source": "a | b"})
    assert "| Source | a \\| b |" in cards.head("fad_mini")


@pytest.mark.parametrize(("worse", "told"), [(0.009, True), (0.011, False)])
def test_a_card_names_what_is_seen_by_next_to_nothing(tmp_path, monkeypatch, worse, told):
    """Clips are compared in pairs: a loss that all share is told apart however small it is."""
    monkeypatch.setattr(cards, "curves_png", lambda *_: b"")
    curve = [CurvePoint(None, 0.0, None, None, 0.0, 0.0, 0.0), CurvePoint(6.0, worse, None, None, worse, 1e-6, 1.0)]
    metric = registry.load("metrics", "stereo_width_difference")
    name = "stereo_width_difference"
    outcome = SanityOutcome("a set", 24, {name: {"gain": curve}}, {name: metric}, {}, {name: name})
    (card,) = cards.write_cards(outcome, tmp_path, "the command")
    text = card.read_text()
    assert "| Quieter | from 6 dB |" in text
    assert ("Seen, but at the strongest step by less than 1 % of the range: Quieter." in text) == told
