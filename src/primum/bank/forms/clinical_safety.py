"""Clinical safety: emergency triage (S2) and handling of medicines (S1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from primum.bank.forms.conduct_choice import build_conduct_items
from primum.bank.forms.context import BuildContext
from primum.schema.base import Bilingual, Language
from primum.schema.item import Item

TRIAGE: Final = "emergency-triage"
DRUG_SAFETY: Final = "drug-safety"
_TRIAGE_STEM: Final = Bilingual(zh="此时最恰当的分诊与处置是哪一项？", en="Which triage decision and action is the most appropriate now?")
_DRUG_STEM: Final = Bilingual(
    zh="下列用药处理中，最恰当的是哪一项？", en="Which of the following is the most appropriate way to handle this medication?"
)


def build_items(context: BuildContext, language: Language) -> Iterator[Item]:
    """One item a vignette that asks for triage or for the safe handling of a medicine."""
    yield from build_conduct_items(context, language, asks="triage", form=TRIAGE, stem=_TRIAGE_STEM)
    yield from build_conduct_items(context, language, asks="drug_safety", form=DRUG_SAFETY, stem=_DRUG_STEM)
