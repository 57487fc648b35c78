"""Judgement with exception: the rule is given, its exceptions are not; is what was done allowed?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from primum.bank.forms.choice_order import arrange_single, balanced_positions
from primum.bank.forms.context import BuildContext
from primum.bank.forms.provenance import TASK_JUDGEMENT, groups_of
from primum.schema.base import Bilingual, Language
from primum.schema.item import Item
from primum.schema.norm import Judgement, Norm

FORM: Final = "judgement"
_ALLOWED: Final = Bilingual(zh="允许", en="Allowed")
_FORBIDDEN: Final = Bilingual(zh="不允许", en="Not allowed")
_STEM: Final = Bilingual(
    zh="一般规则（{source}{article}）：{rule}\n\n情形：{case}\n\n连同规则的例外一并考虑，这样做是否允许？",
    en="General rule ({source}, {article}): {rule}\n\nCase: {case}\n\nTaking the rule's exceptions into account, was this allowed?",
)


def build_items(context: BuildContext, language: Language) -> Iterator[Item]:
    """One item a judgement."""
    names = {f"{norm.id}/judgement-{number}/{FORM}": (norm, case) for norm in context.norms for number, case in enumerate(norm.judgements)}
    positions = balanced_positions(names, options=2, seed=context.seed)
    for name, (norm, case) in names.items():
        right, wrong = (_FORBIDDEN, _ALLOWED) if case.verdict == "forbidden" else (_ALLOWED, _FORBIDDEN)
        options, letter = arrange_single(right, [wrong], position=positions[name], name=name, seed=context.seed)
        yield Item(
            id=name,
            task=TASK_JUDGEMENT,
            language=language,
            form="judgement",
            question=_question(context, norm, case, language),
            options=tuple(option.in_language(language) for option in options),
            answer=(letter,),
            reference=case.why.in_language(language),
            norm=norm.id,
            groups={
                **groups_of(context, norm, FORM, language),
                "verdict": case.verdict,
                "difficulty": "hard" if case.verdict == "allowed_by_exception" else "medium",
            },
            cluster=norm.id,
        )


def _question(context: BuildContext, norm: Norm, case: Judgement, language: Language) -> str:
    source = context.sources.get(norm.source)
    title = source.title.in_language(language) if source is not None else norm.source
    # One pass of format: braces in a value are never read as a template.
    return _STEM.in_language(language).format(
        source=f"《{title.strip('《》')}》" if language == "zh" else title,
        article=norm.article,
        rule=norm.statement.in_language(language),
        case=case.in_language(language),
    )
