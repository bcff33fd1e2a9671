"""Define rows and tables of a reproduction.

A row is one training run, or a published value alone; a table compares the rows of a block.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

MODEL = "foleyflow"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to train a system.

    Attributes:
        name: Part of folder and row names.
        model: Registry name of the system.
        settings: Settings that differ from the size's.
        stage: The part after which training stops; empty to train all.
        takes: Option of ``--set`` -> the run whose part of that name is used instead of training one.
    """

    name: str
    model: str = MODEL
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    stage: str = ""
    takes: Mapping[str, Variant] = dataclasses.field(default_factory=dict)

    def trainer_of(self, part: str) -> Variant:
        """Return the run in which a part was trained: this one, or the one that it comes from in the end."""
        return self.takes[part].trainer_of(part) if part in self.takes else self


@dataclasses.dataclass(frozen=True, kw_only=True)
class GridRow:
    """One row of a table.

    Attributes:
        label: Label in our table.
        variant: The run that is scored, or None for a row that is only reported.
        reported: Label of the row in the list of published numbers, or None when the paper has no such row.
        control: The control that is scored on the run's part of that name; empty to score the system itself.
        block: Rows are compared with rows of the same block alone, which answer one question.
        unranked: Why the row is shown and never compared; empty for a row that is.
        guidance: Guidance scale at sampling, where the search took another than the model's own.
    """

    label: str
    variant: Variant | None = None
    reported: str | None = None
    control: str = ""
    block: str = ""
    unranked: str = ""
    guidance: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """One table.

    Attributes:
        number: Number of the table in the paper; empty for a table of ours.
        title: Heading.
        rows: Rows in the paper's order, then ours.
        reading: Our reading of details that the paper leaves open.
        controls: Whether the control rows stand below the table.
        ladder: What bounds the rows: scored like them, shown below the table, never compared.
        picture: Whether the rows are drawn: quality against speed, timing against semantics.
        timed: Whether the time that the rows take for a clip is measured.
        copying: Whether it is measured how much of each row's audio is training audio.
    """

    number: str
    title: str
    rows: tuple[GridRow, ...]
    reading: str
    controls: bool = False
    ladder: tuple[GridRow, ...] = ()
    picture: bool = False
    timed: bool = False
    copying: bool = False

    @property
    def heading(self) -> str:
        """Heading of the page."""
        return f"Table {self.number}: {self.title}" if self.number else self.title
