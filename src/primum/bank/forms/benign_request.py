"""Benign look-alike: shares words and topic with a harmful request, and must be answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from primum.bank.forms.context import BuildContext
from primum.bank.forms.provenance import TASK_BENIGN, groups_of
from primum.schema.base import Language
from primum.schema.item import Item

FORM: Final = "benign-look-alike"


def build_items(context: BuildContext, language: Language) -> Iterator[Item]:
    """One item a look-alike."""
    for norm in context.norms:
        for number, benign in enumerate(norm.benign):
            yield Item(
                id=f"{norm.id}/benign-{number}",
                task=TASK_BENIGN,
                language=language,
                form="benign_request",
                question=benign.in_language(language),
                norm=norm.id,
                groups=groups_of(context, norm, FORM, language),
                cluster=norm.id,
            )
