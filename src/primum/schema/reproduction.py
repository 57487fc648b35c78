"""A paper's experiment repeated on another model: what was published, what was measured here, and whether both may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from primum.schema.arms import Arm, ArmName, ArmsSpec
from primum.schema.base import Bilingual, Language, NonEmpty, Record
from primum.schema.card import MetricCard, TaskCard
from primum.schema.estimate import Estimate, PairedDifference

Paper = Literal["a", "b", "c"]


class OursRef(Record):
    """Which figure of ours stands beside a published one.

    Attributes:
        arm: The arm.
        task: As in the recipe's suite.
        metric: The metric's name.
        group: Breakdown, or empty for overall.
        name: The group's value.
        change: Take the paired difference to the base instead of the value.
    """

    arm: ArmName
    task: NonEmpty
    metric: NonEmpty
    group: str = ""
    name: str = ""
    change: bool = False


class Published(Record):
    """One published figure.

    Attributes:
        id: Unique in its file.
        title: What it is.
        who: The model it was measured on.
        value: On the metric's own scale; shares between 0 and 1; None where the paper does not give it.
        source: Paper or table, and where in it.
        ours: What of ours stands beside it; None for figures that are shown for orientation only.
        comparable: Whether both may be compared.
        why: Why, or why not.
    """

    id: NonEmpty
    title: Bilingual
    who: str = ""
    value: float | None = None
    source: NonEmpty
    ours: OursRef | None = None
    comparable: bool = False
    why: Bilingual


class BoardRow(Record):
    """One row of a published leaderboard, by column; None where it holds no figure."""

    who: NonEmpty
    values: Annotated[tuple[float | None, ...], Field(min_length=1)]


class Board(Record):
    """A published leaderboard, shown as it was printed."""

    title: Bilingual
    source: NonEmpty
    columns: tuple[Bilingual, ...]
    digits: int = Field(default=4, ge=0, le=6)
    rows: tuple[BoardRow, ...]


class PublishedFile(Record):
    """The published figures of one paper, ``data/reproduce/PAPER.yaml``.

    Attributes:
        paper: Which.
        title: For readers.
        citation: The paper.
        design: What the paper did.
        ours: What the recipe does here.
        figures: In the order shown.
        boards: Leaderboards.
    """

    paper: Paper
    title: Bilingual
    citation: NonEmpty
    design: Bilingual
    ours: Bilingual
    figures: Annotated[tuple[Published, ...], Field(min_length=1)]
    boards: tuple[Board, ...] = ()


class OurFigure(Record):
    """One figure of ours, overall or of one group."""

    arm: ArmName
    task: str
    language: Language
    card: MetricCard
    estimate: Estimate
    difference: PairedDifference | None = None
    group: str = ""
    name: str = ""


class ComparedRow(Record):
    """A published figure and ours; ``ours`` is None where it was not measured."""

    published: Published
    ours: OurFigure | None = None


class Reproduction(Record):
    """An experiment repeated; ``reproduction.json``.

    Attributes:
        paper: Which.
        citation: The paper.
        spec: Model, suite, recipe and seed.
        demos: Demonstrations of the fine-tuned arms; 0 where nothing was trained.
        limit: Items of each task; None for all.
        arms: What was run.
        rows: Published beside ours.
        details: Every figure of ours, overall and by group, Holm-corrected within each arm, metric and breakdown.
        boards: Leaderboards as printed.
        tasks: Cards by task name.
        dose: True when a dose curve stands beside it (``dose.json``).
        notes: What a reader should know.
    """

    paper: Paper
    title: Bilingual
    citation: str
    design: Bilingual
    ours: Bilingual
    spec: ArmsSpec
    demos: int
    limit: int | None
    arms: tuple[Arm, ...]
    rows: tuple[ComparedRow, ...]
    details: tuple[OurFigure, ...]
    boards: tuple[Board, ...] = ()
    tasks: Mapping[str, TaskCard]
    dose: bool = False
    notes: tuple[Bilingual, ...] = ()
