"""Violation detection: three ways of acting in one situation; which of them fall short of what the norm requires?

A wrong option may err by doing too much as well as too little, so the question asks for what is required, not for an offence.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from primum.bank.forms.choice_order import arrange_single, balanced_positions
from primum.bank.forms.context import BuildContext
from primum.bank.forms.provenance import TASK_CHOICE, groups_of
from primum.hashing import derived_seed
from primum.schema.base import Bilingual, Language
from primum.schema.item import Item
from primum.schema.norm import Vignette

FORM: Final = "violation-detection"
_MARKS: Final = ("①", "②", "③")
_PAIRS: Final = ((0, 1), (0, 2), (1, 2))
_ALL: Final = (0, 1, 2)
_OPTIONS: Final = 5
_STEM: Final = Bilingual(zh="以上做法中，哪些不符合此处应守的要求？", en="Which of these do not meet what is required here?")

Pattern = tuple[int, ...]


def build_items(context: BuildContext, language: Language) -> Iterator[Item]:
    """One item a vignette with one right answer or several; which of the three are violations varies evenly."""
    pairs = [(norm, vignette) for norm in context.norms for vignette in norm.vignettes if vignette.asks != "equilibrium"]
    names = [f"{norm.id}/{vignette.id}/{FORM}" for norm, vignette in pairs]
    positions = balanced_positions(names, options=_OPTIONS, seed=context.seed)
    patterns = _patterns({name: vignette for name, (_, vignette) in zip(names, pairs, strict=True)}, seed=context.seed)
    for name, (norm, vignette) in zip(names, pairs, strict=True):
        pattern = patterns[name]
        conducts = _conducts(vignette, pattern, random.Random(derived_seed("conducts", context.seed, name)))
        options, letter = arrange_single(
            _named(pattern), [_named(other) for other in _others(pattern, name, context.seed)], position=positions[name], name=name, seed=context.seed
        )
        lines = "\n".join(f"{mark} {conduct.in_language(language)}" for mark, conduct in zip(_MARKS, conducts, strict=True))
        yield Item(
            id=name,
            task=TASK_CHOICE,
            language=language,
            form="single_choice",
            question=f"{vignette.in_language(language)}\n\n{lines}\n\n{_STEM.in_language(language)}",
            options=tuple(option.in_language(language) for option in options),
            answer=(letter,),
            reference=norm.statement.in_language(language),
            norm=norm.id,
            groups={**groups_of(context, norm, FORM, language, vignette=vignette.id), "difficulty": "hard" if len(pattern) == 3 else "medium"},
            cluster=f"{norm.id}/{vignette.id}",
        )


def _patterns(vignettes: dict[str, Vignette], *, seed: int) -> dict[str, Pattern]:
    """Which of the three are violations: pairs and all three evenly; a single one only where enough right conduct is known."""
    found: dict[str, Pattern] = {}
    for kind, several in (("one", False), ("several", True)):
        names = sorted((n for n, v in vignettes.items() if bool(v.also_right) is several), key=lambda name: derived_seed("pattern", seed, kind, name))
        # Where several are right, single violations come often: they must make up for the vignettes that cannot have them.
        cycle: tuple[Pattern, ...] = (*_PAIRS, _ALL) if not several else ((0,), (1,), (2,), *_PAIRS, _ALL)
        found.update({name: cycle[rank % len(cycle)] for rank, name in enumerate(names)})
    return found


def _conducts(vignette: Vignette, pattern: Pattern, rng: random.Random) -> list[Bilingual]:
    right: list[Bilingual] = [vignette.right, *vignette.also_right]
    wrong: list[Bilingual] = list(vignette.wrong)
    rng.shuffle(right)
    rng.shuffle(wrong)
    return [wrong.pop() if place in pattern else right.pop() for place in range(3)]


def _others(pattern: Pattern, name: str, seed: int) -> list[Pattern]:
    """Four more patterns. All pairs, all three, and one single always stand there, so that the options say nothing of the key."""
    single = pattern if len(pattern) == 1 else (random.Random(derived_seed("single", seed, name)).randrange(3),)
    return [other for other in (*_PAIRS, _ALL, single) if other != pattern]


def _named(pattern: Pattern) -> Bilingual:
    marks = [_MARKS[place] for place in pattern]
    if len(marks) == 3:
        return Bilingual(zh="①②③全部", en="All of ①, ② and ③")
    return Bilingual(zh="只有" + "".join(marks), en="Only " + " and ".join(marks))
