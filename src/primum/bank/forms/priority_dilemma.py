"""Priority dilemma: two duties conflict, and one goes first (after MedEthicEval's priority dilemmas)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from primum.bank.forms.conduct_choice import build_conduct_items
from primum.bank.forms.context import BuildContext
from primum.schema.base import Bilingual, Language
from primum.schema.item import Item

FORM: Final = "priority-dilemma"
_STEM: Final = Bilingual(zh="几项要求不能同时满足时，此处应当怎样做？", en="Where the duties here cannot all be met at once, what should be done?")


def build_items(context: BuildContext, language: Language) -> Iterator[Item]:
    """One item a vignette in which duties conflict."""
    yield from build_conduct_items(context, language, asks="priority", form=FORM, stem=_STEM)
