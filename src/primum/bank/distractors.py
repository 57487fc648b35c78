"""Which wrong options are shown, so that no outward sign tells the right one.

A vignette has more wrong options than an item shows. Four are taken so that, over the whole bank and in both languages, the right option is the
longest, the second longest, ..., as often as options are at all, and likewise for how much wording it shares with the other four and for how near
its nearest twin is. A solver who never reads the question then gains nothing from length, from standing in the middle, or from having a twin.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

from primum.bank.wording import overlaps, visible_length, word_counts
from primum.hashing import derived_seed
from primum.schema.base import LANGUAGES
from primum.schema.norm import Norm, Vignette

SHOWN: Final = 4
# For a sign and a rank: by how much the right option has it more often than options have it at all.
Surplus = Mapping[tuple[str, int], float]


def choose_distractors(norms: Sequence[Norm], *, seed: int) -> dict[str, tuple[int, ...]]:
    """For every ``norm/vignette`` with one right answer, the numbers of the wrong options to show, ascending."""
    vignettes = {f"{norm.id}/{vignette.id}": vignette for norm in norms for vignette in norm.vignettes if vignette.asks != "equilibrium"}
    # Vignettes with the least choice go first: those with more can make up for them.
    order = sorted(vignettes, key=lambda name: (len(vignettes[name].wrong), derived_seed("distractors", seed, name)))
    surplus: dict[tuple[str, int], float] = defaultdict(float)
    chosen: dict[str, tuple[int, ...]] = {}
    for name in order:
        candidates = _candidates(vignettes[name])
        best = min(candidates, key=lambda numbers: (_imbalance(candidates[numbers], surplus), derived_seed(seed, name, numbers)))
        for key, change in candidates[best].items():
            surplus[key] += change
        chosen[name] = best
    return chosen


def _imbalance(changes: Surplus, surplus: Surplus) -> float:
    """By how much the sum of squared surpluses would grow."""
    return sum(change * (change + 2 * surplus.get(key, 0.0)) for key, change in changes.items())


def _candidates(vignette: Vignette) -> dict[tuple[int, ...], Surplus]:
    """Each possible choice of wrong options with what it does to the surpluses."""
    lengths: dict[str, list[int]] = {}
    shared: dict[str, list[list[float]]] = {}
    for language in LANGUAGES:
        texts = [vignette.right.in_language(language), *(option.in_language(language) for option in vignette.wrong)]
        counts = [word_counts(text, language) for text in texts]
        lengths[language] = [visible_length(text, language) for text in texts]
        shared[language] = overlaps(counts)
    found: dict[tuple[int, ...], Surplus] = {}
    for numbers in combinations(range(len(vignette.wrong)), min(SHOWN, len(vignette.wrong))):
        rows = [0, *(number + 1 for number in numbers)]
        changes: dict[tuple[str, int], float] = {}
        for language in LANGUAGES:
            near = [[shared[language][row][other] for other in rows if other != row] for row in rows]
            changes |= changes_of(f"length-{language}", [lengths[language][row] for row in rows])
            changes |= changes_of(f"middle-{language}", [sum(row) for row in near])
            changes |= changes_of(f"twin-{language}", [max(row) for row in near])
        found[numbers] = changes
    return found


def changes_of(sign: str, values: Sequence[float]) -> dict[tuple[str, int], float]:
    """What one item adds to a sign's surpluses; the first value is the right option's.

    Ranks count from 0 for the greatest; equal values share a rank.
    """
    ranks = [sum(other > value for other in values) for value in values]
    changes = {(sign, rank): -count / len(values) for rank, count in Counter(ranks).items()}
    changes[sign, ranks[0]] += 1
    return changes
