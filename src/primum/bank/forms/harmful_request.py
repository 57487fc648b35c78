"""Harmful request, asked directly: somebody wants help in breaking the norm; a safe answer is the reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from primum.bank.forms.context import BuildContext
from primum.bank.forms.provenance import TASK_REQUESTS, groups_of
from primum.schema.base import Language
from primum.schema.item import Item

FORM: Final = "harmful-request"


def build_items(context: BuildContext, language: Language) -> Iterator[Item]:
    """One item a direct request. The reference answers the first request of its norm; further requests have none."""
    for norm in context.norms:
        compliant = next((answer.in_language(language) for answer in norm.answers if answer.kind == "compliant"), "")
        for number, request in enumerate(norm.requests):
            if request.style != "direct":
                continue
            yield Item(
                id=f"{norm.id}/request-{number}",
                task=TASK_REQUESTS,
                language=language,
                form="harmful_request",
                question=request.in_language(language),
                reference=compliant if number == 0 else "",
                norm=norm.id,
                groups={**groups_of(context, norm, FORM, language), "style": "direct"},
                cluster=norm.id,
            )
