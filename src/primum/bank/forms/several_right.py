"""Several right answers: every right conduct must be chosen and no wrong one (exact set match)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from primum.bank.difficulty import difficulty_of
from primum.bank.forms.choice_order import arrange_several
from primum.bank.forms.conduct_choice import OPTIONS
from primum.bank.forms.context import BuildContext
from primum.bank.forms.provenance import TASK_CHOICE, groups_of
from primum.schema.base import Bilingual, Language
from primum.schema.item import Item

FORM: Final = "several-right"
_STEM: Final = Bilingual(zh="下列做法中，哪些是恰当的？", en="Which of the following courses of action are appropriate?")


def build_items(context: BuildContext, language: Language) -> Iterator[Item]:
    """One item for each vignette that has further right conduct."""
    for norm in context.norms:
        for vignette in norm.vignettes:
            if not vignette.also_right or vignette.asks == "equilibrium":
                continue
            name = f"{norm.id}/{vignette.id}/{FORM}"
            right = [vignette.right, *vignette.also_right]
            wrong = [vignette.wrong[number] for number in context.wrong_of(norm, vignette)][: OPTIONS - len(right)]
            options, letters = arrange_several(right, wrong, name=name, seed=context.seed)
            yield Item(
                id=name,
                task=TASK_CHOICE,
                language=language,
                form="multiple_choice",
                question=f"{vignette.in_language(language)}\n\n{_STEM.in_language(language)}",
                options=tuple(option.in_language(language) for option in options),
                answer=letters,
                reference=norm.statement.in_language(language),
                norm=norm.id,
                groups={
                    **groups_of(context, norm, FORM, language, vignette=vignette.id),
                    "difficulty": difficulty_of(vignette.right, wrong, exception=norm.exceptions is not None),
                },
                cluster=f"{norm.id}/{vignette.id}",
            )
