"""Items: what a benchmark asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from primum.schema.base import Language, NonEmpty, Record

ItemForm = Literal[
    "single_choice",  # exactly one right letter
    "multiple_choice",  # one or more right letters, exact set match
    "judgement",  # right or wrong, with a reason
    "defensible_choice",  # one letter is asked for; every letter of the answer is defensible
    "open",  # free answer, scored by a judge or by people
    "harmful_request",  # help sought in breaking a norm; should be declined or redirected
    "benign_request",  # looks alike, must be answered
    "dilemma",  # no single gold answer
]
CHOICE_FORMS: frozenset[ItemForm] = frozenset({"single_choice", "multiple_choice", "judgement", "defensible_choice"})
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Item(Record):
    """One benchmark question.

    Attributes:
        id: Unique within its task and language.
        task: The task's registered name.
        language: The language in which the question is asked.
        form: What kind of answer is expected.
        question: The text put to the model, without options.
        options: Option texts in the order shown; letter k is ``LETTERS[k]``.
        answer: Right letters, sorted; empty where no letter key exists.
        reference: A reference answer or the norm's statement, for judges and readers.
        norm: Id of the norm behind the item, where there is one.
        groups: Names by which results are broken down (dimension, scene, principle, origin, ...).
        turns: Earlier turns of the conversation, oldest first.
        cluster: Items that share a cluster are not independent (a vignette, a prompt); intervals respect it.
    """

    id: NonEmpty
    task: NonEmpty
    language: Language
    form: ItemForm
    question: NonEmpty
    options: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    reference: str = ""
    norm: str = ""
    groups: Mapping[str, str] = Field(default_factory=dict)
    turns: tuple[Message, ...] = ()
    cluster: str = ""

    @model_validator(mode="after")
    def _answer_fits_options(self) -> Item:
        if self.form in CHOICE_FORMS:
            allowed = LETTERS[: len(self.options)]
            if len(self.options) < 2:
                raise ValueError(f"item {self.id}: a {self.form} item needs at least two options")
            if len(self.options) > len(LETTERS):
                raise ValueError(f"item {self.id}: more than {len(LETTERS)} options")
            outside = [letter for letter in self.answer if letter not in allowed]
            if outside or not self.answer:
                raise ValueError(f"item {self.id}: the answer must name letters among {allowed}, found {list(self.answer)}")
            if self.form == "single_choice" and len(self.answer) != 1:
                raise ValueError(f"item {self.id}: a single_choice item has exactly one right letter")
        return self
