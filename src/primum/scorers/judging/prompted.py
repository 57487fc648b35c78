"""Rubrics whose words stand in ``data/judges``: one YAML file each, and a frame that all share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar, Final

from primum.config import load_model
from primum.hashing import sha256_of
from primum.schema.base import Bilingual, Language, Record
from primum.schema.card import MetricCard
from primum.schema.item import Item, ItemForm, Message
from primum.scorers.judging.aggregation import majority, middle
from primum.scorers.judging.fencing import ANSWER_LIMIT, cut_middle, fence, make_mark
from primum.scorers.judging.rubric import Exchange
from primum.scorers.judging.verdicts import Field, Verdict, read_verdict

_SLOT: Final = re.compile(r"\{\{(\w+)\}\}")


class RubricWords(Record):
    """One rubric's YAML file."""

    version: str
    task: Bilingual
    scale: Bilingual


class _Frame(Record):
    """``frame.yaml``."""

    zh: str
    en: str
    labels: Mapping[str, Bilingual]
    form: Mapping[str, Bilingual]
    again: Bilingual


def _folder() -> Path:
    return Path(str(resources.files("primum") / "data" / "judges"))


@cache
def _frame() -> _Frame:
    return load_model(_folder() / "frame.yaml", _Frame)


@cache
def _words(name: str) -> RubricWords:
    return load_model(_folder() / f"{name}.yaml", RubricWords)


def fill(template: str, parts: Mapping[str, str]) -> str:
    """Fill each slot once; what is filled in is not read for slots."""
    return _SLOT.sub(lambda slot: parts[slot[1]], template)


def ask_again(messages: Sequence[Message], language: Language) -> tuple[Message, ...]:
    """The same prompt with a note about the form behind it, for a judge whose verdict was malformed."""
    *earlier, last = messages
    return (*earlier, Message(role=last.role, content=f"{last.content}\n{_frame().again.in_language(language)}"))


class PromptedRubric:
    """The common part of the built-in rubrics.

    Args:
        answer_limit: Characters of an answer that the judge sees; longer ones lose their middle.
    """

    name: ClassVar[str]
    words: ClassVar[str]
    metrics: ClassVar[tuple[MetricCard, ...]]
    forms: ClassVar[frozenset[ItemForm]]
    fields: ClassVar[tuple[Field, ...]] = ()

    def __init__(self, *, answer_limit: int = ANSWER_LIMIT) -> None:
        self.answer_limit = answer_limit

    @property
    def version(self) -> str:
        """Version of the rubric's words."""
        return _words(self.words).version

    @cached_property
    def prompt_sha256(self) -> str:
        """Hash of everything in the prompt that is not the exchange: frame, words, fields, answer limit."""
        return sha256_of(self._prompt_parts())

    def applies(self, item: Item) -> bool:
        """Whether the rubric judges answers to this item."""
        return item.form in self.forms

    def fields_of(self, exchange: Exchange) -> tuple[Field, ...]:
        """The verdict's keys, besides the case number and the reason."""
        return self.fields

    def messages(self, exchange: Exchange) -> tuple[Message, ...]:
        """One user turn: some chat templates know no other, and the form of the verdict then stands last, behind the answer."""
        language = exchange.language
        parts = {
            "task": _words(self.words).task.in_language(language).strip(),
            "scale": self.scale_of(exchange),
            "material": "\n\n".join(self._material(exchange)),
            "form": "\n".join(f"- {line}" for line in self._form(exchange)),
            "fence": _fence_mark(exchange),
            "case": self.case_of(exchange),
        }
        return (Message(role="user", content=fill(_frame().zh if language == "zh" else _frame().en, parts)),)

    def parse(self, text: str, exchange: Exchange) -> Verdict:
        """Read a judge's reply.

        Raises:
            MalformedVerdict: It holds no well-formed verdict on this exchange.
        """
        return read_verdict(text, case=self.case_of(exchange), fields=self.fields_of(exchange))

    def measure(self, verdict: Verdict, exchange: Exchange) -> Mapping[str, float]:
        """The metrics' values; without another rule, each field is a metric of its name."""
        return {name: float(value) for name, value in verdict.values.items()}

    def combine(self, verdicts: Sequence[Verdict], exchange: Exchange) -> Mapping[str, float | None]:
        """Majority for metrics of 0 and 1, the median for the others; None for a tie."""
        measured = [self.measure(verdict, exchange) for verdict in verdicts]
        found: dict[str, float | None] = {}
        for card in self.metrics:
            values = [one[card.name] for one in measured if card.name in one]
            if values:
                found[card.name] = majority(values) if card.kind == "proportion" else middle(values)
        return found

    def describe(self, verdict: Verdict, exchange: Exchange) -> str:
        """``R1=0 R2=-1``: the fields' values."""
        return " ".join(f"{name}={value}" for name, value in verdict.values.items())

    def scale_of(self, exchange: Exchange) -> str:
        """The scale as the judge reads it."""
        return _words(self.words).scale.in_language(exchange.language).strip()

    def case_of(self, exchange: Exchange) -> str:
        """The case number, which occurs in no text of the exchange and differs from the fence's mark."""
        return make_mark((*_texts(exchange), _fence_mark(exchange)), purpose=f"case {self.name} {self.version}")

    def _prompt_parts(self) -> dict[str, Any]:
        return {
            "frame": _frame(),
            "words": _words(self.words),
            "fields": [[f.name, *f.values] for f in self.fields],
            "answer_limit": self.answer_limit,
        }

    def _material(self, exchange: Exchange) -> Iterator[str]:
        labels = _frame().labels
        language = exchange.language

        def piece(label: str, text: str) -> str:
            begin, end = labels["begin"].in_language(language), labels["end"].in_language(language)
            return fence(text, mark=_fence_mark(exchange), label=labels[label].in_language(language), begin=begin, end=end)

        if exchange.norm is not None:
            yield piece("norm", exchange.norm.in_language(language))
            if exchange.exceptions is not None:
                yield piece("exceptions", exchange.exceptions.in_language(language))
        elif exchange.reference:
            yield piece("reference", exchange.reference)
        else:
            yield labels["no_norm"].in_language(language)
        if exchange.turns:
            yield piece("earlier", "\n\n".join(f"[{labels[turn.role].in_language(language)}] {turn.content}" for turn in exchange.turns))
        yield piece("question", exchange.question)
        sign = f"[{_fence_mark(exchange)}: {labels['left_out'].in_language(language)}]"
        yield piece("answer", cut_middle(exchange.answer, limit=self.answer_limit, sign=sign))

    def _form(self, exchange: Exchange) -> Iterator[str]:
        form = _frame().form
        language = exchange.language
        yield fill(form["case"].in_language(language), {"case": self.case_of(exchange)})
        for field in self.fields_of(exchange):
            kind = "integer" if field.values else "boolean"
            parts = {"name": field.name, "values": (", " if language == "en" else "、").join(map(str, field.values))}
            yield fill(form[kind].in_language(language), parts)
        yield form["reason"].in_language(language)


def _texts(exchange: Exchange) -> tuple[str, ...]:
    """Every text of the exchange that a judge may see."""
    norm = [text for part in (exchange.norm, exchange.exceptions) if part is not None for text in (part.zh, part.en)]
    return (*norm, exchange.reference, *(turn.content for turn in exchange.turns), exchange.question, exchange.answer)


def _fence_mark(exchange: Exchange) -> str:
    return make_mark(_texts(exchange), purpose="fence")
