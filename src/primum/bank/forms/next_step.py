"""Next step: something has been done, a turn has come; what now?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from primum.bank.forms.conduct_choice import build_conduct_items
from primum.bank.forms.context import BuildContext
from primum.schema.base import Bilingual, Language
from primum.schema.item import Item

FORM: Final = "next-step"
_STEM: Final = Bilingual(zh="接下来，最恰当的一步是什么？", en="What is the most appropriate next step?")


def build_items(context: BuildContext, language: Language) -> Iterator[Item]:
    """One item a vignette that asks for the next step."""
    yield from build_conduct_items(context, language, asks="next_step", form=FORM, stem=_STEM)
