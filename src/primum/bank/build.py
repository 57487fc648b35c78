"""Norms to items: every form, both languages, the same bytes from the same data and seed.

arXiv 2505.07205 (paper A) has 12,000 items in 20 dimensions; arXiv 2601.07954 (paper B) goes from sources to norms to scenarios. Here each form
is one pure function of the norms and a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from primum.bank.distractors import choose_distractors
from primum.bank.forms import (
    attack_style,
    benign_request,
    clinical_safety,
    equilibrium_dilemma,
    harmful_request,
    judgement,
    next_step,
    priority_dilemma,
    several_right,
    single_choice,
    violation_detection,
)
from primum.bank.forms.context import BuildContext
from primum.bank.forms.provenance import TASK_BENIGN, TASK_CHOICE, TASK_DILEMMA, TASK_JUDGEMENT, TASK_REQUESTS
from primum.bank.splits import assign_splits
from primum.bank.withheld import packaged_withheld
from primum.schema.base import Bilingual, Language
from primum.schema.item import Item
from primum.schema.norm import NormFile

# Decides letters, option order, distractors and splits; changing it makes another bank.
BANK_SEED: Final = 20261121
BANK_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Form:
    """One item form.

    Attributes:
        name: As in the group ``form``; a file that makes two forms has both names, joined by ``+``.
        title: For readers.
        task: The task its items belong to.
        build: Items of one language.
    """

    name: str
    title: Bilingual
    task: str
    build: Callable[[BuildContext, Language], Iterator[Item]]


def _form(name: str, zh: str, en: str, task: str, build: Callable[[BuildContext, Language], Iterator[Item]]) -> Form:
    return Form(name, Bilingual(zh=zh, en=en), task, build)


FORMS: Final[tuple[Form, ...]] = (
    _form(single_choice.FORM, "单项选择", "Single choice", TASK_CHOICE, single_choice.build_items),
    _form(several_right.FORM, "多项选择", "Several right answers", TASK_CHOICE, several_right.build_items),
    _form(next_step.FORM, "下一步", "Next step", TASK_CHOICE, next_step.build_items),
    _form(violation_detection.FORM, "违规识别", "Violation detection", TASK_CHOICE, violation_detection.build_items),
    _form(priority_dilemma.FORM, "优先级困境", "Priority dilemma", TASK_CHOICE, priority_dilemma.build_items),
    _form(
        f"{clinical_safety.TRIAGE}+{clinical_safety.DRUG_SAFETY}",
        "急诊分诊与用药安全",
        "Triage and drug safety",
        TASK_CHOICE,
        clinical_safety.build_items,
    ),
    _form(judgement.FORM, "含例外的判断", "Judgement with exception", TASK_JUDGEMENT, judgement.build_items),
    _form(equilibrium_dilemma.FORM, "均衡困境", "Equilibrium dilemma", TASK_DILEMMA, equilibrium_dilemma.build_items),
    _form(harmful_request.FORM, "有害请求", "Harmful request", TASK_REQUESTS, harmful_request.build_items),
    _form(attack_style.FORM, "变式攻击", "Attack styles", TASK_REQUESTS, attack_style.build_items),
    _form(benign_request.FORM, "良性相似请求", "Benign look-alike", TASK_BENIGN, benign_request.build_items),
)


def prepare(files: Sequence[NormFile], *, seed: int = BANK_SEED, withheld: frozenset[str] | None = None) -> BuildContext:
    """Decide once what both languages and all forms share.

    Args:
        files: Sources with their norms.
        seed: Another seed makes another bank.
        withheld: Items to leave out; None takes the packaged list.
    """
    norms = [norm for file in files for norm in file.norms]
    return BuildContext(
        norms=norms,
        sources={file.source.id: file.source for file in files},
        seed=seed,
        shown=choose_distractors(norms, seed=seed),
        splits=assign_splits(norms, seed=seed),
        withheld=packaged_withheld() if withheld is None else withheld,
    )


def build_items(context: BuildContext, language: Language, *, tasks: Sequence[str] = ()) -> Iterator[Item]:
    """All items of one language, form by form; only those of ``tasks`` where any are named."""
    every = chain.from_iterable(form.build(context, language) for form in FORMS if not tasks or form.task in tasks)
    # Letters were balanced with the withheld items in place, so that withholding one moves no other; what is left stays even within chance.
    yield from (item for item in every if item.id not in context.withheld)
