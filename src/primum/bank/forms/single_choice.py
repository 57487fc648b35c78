"""Single choice: the one right conduct among five."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from primum.bank.forms.conduct_choice import build_conduct_items
from primum.bank.forms.context import BuildContext
from primum.schema.base import Bilingual, Language
from primum.schema.item import Item

FORM: Final = "single-choice"
_STEM: Final = Bilingual(zh="下列做法中，最恰当的是哪一项？", en="Which of the following is the most appropriate course of action?")


def build_items(context: BuildContext, language: Language) -> Iterator[Item]:
    """One item a vignette that asks for conduct."""
    yield from build_conduct_items(context, language, asks="conduct", form=FORM, stem=_STEM)
