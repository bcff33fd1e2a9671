"""What the cards of the compared systems say of Table 1, against its committed files.

``python tests/foleymodels/systems/test_cards.py`` writes these blocks anew, after the table was made again.
"""

import csv
import functools
import re
import shlex
import textwrap
from pathlib import Path

import pytest

from foleybench import registry
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import Setup, row_name, table_steps, training_name

ROOT = Path(__file__).parents[3]
MODELS = ROOT / "models/foleymodels"
TABLE = ROOT / "leaderboards/reproduce"
SCRIPT = "python tests/foleymodels/systems/test_cards.py"
ROWS = {row.variant.model: row for row in GRIDS["table1"].rows if row.variant and row.label.endswith(" core")}
HEADING = "## In Table 1\n"
# Metric of the table's file -> its name and decimals on the page.
SCORES = {
    "event_f1_25ms": ("Event F1 (25 ms) ↑", 3),
    "kld_mini": ("KLD (mini) (nat) ↓", 2),
    "fad_mini": ("FAD (mini) ↓", 0),
}
# Sentences of the page on its times, by how they begin.
CAVEATS = (
    "Parameters are",
    "Minutes of training",
    "Evaluations of",
    "Minutes are medians",
    "Seconds and factor",
)
SHARED = {"Training, own parts (min)": "0", "Training, shared parts (min)": "1"}


@functools.cache
def page():
    return (TABLE / "table1.md").read_text(encoding="utf-8")


@functools.cache
def lines_of(file):
    with (TABLE / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def part_on_costs():
    return page().partition("\n## What it costs\n")[2].partition("\n## ")[0]


def filled(text):
    return textwrap.fill(text, 140, break_long_words=False, break_on_hyphens=False)


def costs(label):
    """Return the cells of a row in the page's table of costs, by column."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part_on_costs().splitlines() if "|" in line
    ]
    (own,) = (row for row in rows if row[0] == label)
    return dict(zip(rows[0][1:], own[1:], strict=True))


def caveats():
    """Return what the page says of its times."""
    sentences = re.split(r"(?<=\.) (?=[A-Z])", part_on_costs().strip().rpartition("\n\n")[2])
    found = [sentence for sentence in sentences if sentence.startswith(CAVEATS)]
    assert len(found) == len(CAVEATS)
    return filled(" ".join(found))


def score(label, metric, digits):
    (line,) = (
        one for one in lines_of("table1.csv") if (one["kind"], one["row"], one["metric"]) == ("measured", label, metric)
    )
    value, low, high = (f"{float(line[key]):.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def parts(label, column):
    """Return the names of the parts that a column of minutes counts, in brackets; "" for another column."""
    if column not in SHARED:
        return ""
    trained = [one for one in lines_of("table1_training.csv") if one["row"] == label]
    return f": {', '.join(sorted({one['part'] for one in trained if one['shared'] == SHARED[column]}))}"


def made_by():
    (command,) = re.findall(r"Made by `(foleybench reproduce table1[^`]*)`", page())
    return f"{command} --data shards/synthfoley"


def commands(name):
    """Return the commands of the plan that train and score a system with seed 0."""
    (clips,) = re.findall(r"--clips (\d+)", made_by())
    setup = Setup(
        work=Path("out/reproduce"),
        results=Path("leaderboards/reproduce/results"),
        data=Path("shards/synthfoley"),
        clips=int(clips),
    )
    steps = {step.name: step.words for step in table_steps(setup, [GRIDS["table1"]])}
    row = ROWS[name]
    found = steps[training_name(setup, row.variant, 0)], steps[f"eval-{row_name(setup, row, 0)}"]
    return [wrapped(shlex.join(["foleybench", *words])) for words in found]


def wrapped(command, most=130):
    """Break a command before its options."""
    lines = [""]
    for option in re.split(r" (?=--)", command):
        if lines[-1] and len(lines[-1]) + len(option) > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {option}".strip()
    return " \\\n    ".join(lines)


def block(name):
    """Return what the card of a system says of Table 1."""
    label = ROWS[name].label
    rows = [(column + parts(label, column), value) for column, value in costs(label).items()]
    rows += [(title, score(label, metric, digits)) for metric, (title, digits) in SCORES.items()]
    return "\n".join(
        [
            HEADING,
            filled(
                f'The row "{label}" of `leaderboards/reproduce/table1.md` (costs) and `table1.csv` (scores: mean over '
                "seeds [95 % interval over clips and seeds]; the `mini` evaluators compare with no published figure)."
            ),
            "",
            "| | |",
            "|---|---|",
            *(f"| {title} | {value} |" for title, value in rows),
            "",
            caveats(),
            "",
            filled(
                "The table, then the commands of its plan that train and score this row with seed 0; `--dry-run` "
                "prints those of the parts that they take. A test holds this section to those files, and "
                f"`{SCRIPT}` writes it."
            ),
            "```",
            made_by(),
            *commands(name),
            "```",
            "",
        ]
    )


def with_block(text, new):
    """Return a card with the block in its place: where one stands, else at the end."""
    before, _, rest = text.partition(HEADING)
    _, more, after = rest.partition("\n## ")
    return f"{before.rstrip()}\n\n{new}" + (f"\n## {after}" if more else "")


@pytest.mark.parametrize("name", ROWS)
def test_a_card_says_what_table_1_says(name):
    card = (MODELS / name / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert block(name) in card, f"run: {SCRIPT}"
    assert card.count(HEADING) == 1


def test_every_compared_system_has_a_row():
    assert len(ROWS) == 9


@pytest.mark.parametrize("name", ROWS)
def test_the_registry_calls_a_core_what_the_table_calls_it(name):
    model = registry.load("models", name)
    assert (model.title, model.kind) == (ROWS[name].label, "model")


def test_a_block_is_written_in_its_place():
    old = "# A\n\n## In Table 1\n\nold\n\n## B\n\nkept\n"
    assert with_block(old, f"{HEADING}\nnew\n") == "# A\n\n## In Table 1\n\nnew\n\n## B\n\nkept\n"
    assert with_block("# A\n", f"{HEADING}\nnew\n") == "# A\n\n## In Table 1\n\nnew\n"


if __name__ == "__main__":
    for system in ROWS:
        path = MODELS / system / "MODEL_CARD.md"
        path.write_text(with_block(path.read_text(encoding="utf-8"), block(system)), encoding="utf-8")
