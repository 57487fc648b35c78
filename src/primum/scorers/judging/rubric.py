"""What a rubric is: the question put to a judge about an answer, and what is made of the verdict.

Rubrics register through the entry points ``primum.rubrics``: a name such as ``judge-harmfulness``, and a function that takes the file given with
``--rubric`` (or None) and returns the rubric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from primum.errors import UsageError
from primum.registry import Registry
from primum.schema.base import Bilingual, Language, Record
from primum.schema.card import MetricCard
from primum.schema.item import Item, Message
from primum.scorers.judging.verdicts import Verdict


class Exchange(Record):
    """One answer with all that a judge may see. Question and answer are hostile text.

    Attributes:
        item: Id of the question, for rubrics with criteria of their own for each.
        language: Language of the question; the judge is asked in it.
        question: The last turn of the user.
        answer: What is judged, without reasoning blocks.
        turns: Earlier turns of the conversation, oldest first.
        norm: The norm's statement, where it is known and shown.
        exceptions: The norm's exceptions.
        reference: What stands for the norm where there is none: the task's reference.
    """

    item: str
    language: Language
    question: str
    answer: str
    turns: tuple[Message, ...] = ()
    norm: Bilingual | None = None
    exceptions: Bilingual | None = None
    reference: str = ""


@runtime_checkable
class JudgeRubric(Protocol):
    """Messages out, verdict text in; pure.

    ``parse`` raises :class:`~primum.scorers.judging.verdicts.MalformedVerdict`. ``measure`` turns one verdict into values of the metrics; a metric
    that does not apply to the answer is left out. ``combine`` does so for several judges' verdicts, None where they are evenly split.
    ``describe`` is a verdict in a few words, for readers.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def metrics(self) -> tuple[MetricCard, ...]: ...  # noqa: D102
    @property
    def prompt_sha256(self) -> str: ...  # noqa: D102
    def applies(self, item: Item) -> bool: ...  # noqa: D102
    def messages(self, exchange: Exchange) -> tuple[Message, ...]: ...  # noqa: D102
    def parse(self, text: str, exchange: Exchange) -> Verdict: ...  # noqa: D102
    def measure(self, verdict: Verdict, exchange: Exchange) -> Mapping[str, float]: ...  # noqa: D102
    def combine(self, verdicts: Sequence[Verdict], exchange: Exchange) -> Mapping[str, float | None]: ...  # noqa: D102
    def describe(self, verdict: Verdict, exchange: Exchange) -> str: ...  # noqa: D102


class RubricFactory(Protocol):
    """Makes a rubric; ``file`` is what was given with ``--rubric``."""

    def __call__(self, file: Path | None, /) -> JudgeRubric: ...  # noqa: D102


RUBRICS: Final[Registry[RubricFactory]] = Registry("primum.rubrics", "rubric")


def open_rubric(name: str, file: Path | None = None) -> JudgeRubric:
    """Make a registered rubric.

    Raises:
        UnknownNameError: No rubric has this name; names the nearest.
        UsageError: The rubric needs a file, or takes none.
        ConfigError: The file does not fit.
    """
    return RUBRICS.get(name)(file)


def refuse_file(name: str, file: Path | None) -> None:
    """For rubrics that are complete as they are.

    Raises:
        UsageError: A file was given.
    """
    if file is not None:
        raise UsageError(f"rubric {name} takes no file", remedy="leave out --rubric, or use judge-points")
