"""The core of every form that asks for the one right conduct among five: what differs is the kind of vignette and the question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from primum.bank.difficulty import difficulty_of
from primum.bank.forms.choice_order import arrange_single, balanced_positions
from primum.bank.forms.context import BuildContext
from primum.bank.forms.provenance import TASK_CHOICE, groups_of
from primum.schema.base import Bilingual, Language
from primum.schema.item import Item
from primum.schema.norm import Asks, Norm, Vignette

OPTIONS: Final = 5
CONDUCT_FORMS: Final = frozenset({"single-choice", "next-step", "priority-dilemma", "emergency-triage", "drug-safety"})


def asking(context: BuildContext, asks: Asks) -> Iterator[tuple[Norm, Vignette]]:
    """The vignettes of one kind, in file order."""
    for norm in context.norms:
        for vignette in norm.vignettes:
            if vignette.asks == asks:
                yield norm, vignette


def asks_for_conduct(item: Item) -> bool:
    """True for an item built here: one right conduct among five."""
    return item.form == "single_choice" and item.groups["form"] in CONDUCT_FORMS


def build_conduct_items(context: BuildContext, language: Language, *, asks: Asks, form: str, stem: Bilingual) -> Iterator[Item]:
    """One item a vignette of the kind ``asks``; every letter is right equally often."""
    pairs = list(asking(context, asks))
    positions = balanced_positions([f"{norm.id}/{vignette.id}/{form}" for norm, vignette in pairs], options=OPTIONS, seed=context.seed)
    for norm, vignette in pairs:
        name = f"{norm.id}/{vignette.id}/{form}"
        wrong = [vignette.wrong[number] for number in context.wrong_of(norm, vignette)][: OPTIONS - 1]
        options, letter = arrange_single(vignette.right, wrong, position=positions[name], name=name, seed=context.seed)
        yield Item(
            id=name,
            task=TASK_CHOICE,
            language=language,
            form="single_choice",
            question=f"{vignette.in_language(language)}\n\n{stem.in_language(language)}",
            options=tuple(option.in_language(language) for option in options),
            answer=(letter,),
            reference=norm.statement.in_language(language),
            norm=norm.id,
            groups={
                **groups_of(context, norm, form, language, vignette=vignette.id),
                "difficulty": difficulty_of(vignette.right, wrong, exception=norm.exceptions is not None),
            },
            cluster=f"{norm.id}/{vignette.id}",
        )
