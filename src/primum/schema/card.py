"""Cards: what a task or a scorer says of itself, without loading any data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from primum.schema.base import Bilingual, Language, Record
from primum.schema.estimate import Direction

MetricKind = Literal["proportion", "mean"]


class MetricCard(Record):
    """One metric of a task.

    Attributes:
        name: As in ``Score.metric``.
        scorer: The registered scorer that produces it.
        kind: ``proportion`` for 0/1 values (Wilson), ``mean`` otherwise (clustered bootstrap).
        direction: Which way is better.
        title: For tables.
        heuristic: True when the scorer is a rule of thumb: its gates are "not certified".
        judged: True when a judge or the guardian makes the scores: its gates are certified only where its agreement with people was measured.
        chance: Take the chance level 1/options into account in reports.
        bounds: The metric's scale, such as (1, 5); proportions need none.
    """

    name: str
    scorer: str
    kind: MetricKind = "proportion"
    direction: Direction = "higher"
    title: Bilingual
    heuristic: bool = False
    judged: bool = False
    chance: bool = False
    bounds: tuple[float, float] | None = None


class DataFile(Record):
    """A file a task reads, relative to the data folder."""

    path: str
    rows: int
    required: bool = True


class TaskCard(Record):
    """What a task is, where it comes from and what may be done with it."""

    name: str
    title: Bilingual
    languages: tuple[Language, ...]
    size: int
    citation: str
    url: str
    licence: str
    groups: tuple[str, ...] = ()
    metrics: tuple[MetricCard, ...]
    pending: tuple[MetricCard, ...] = Field(default=(), description="metrics that need a judge or people: generate now, score later")
    files: tuple[DataFile, ...] = ()
    obtain: str = ""
