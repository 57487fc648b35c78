"""Parts of the bank: what may be trained on, what chooses between trained models, and what measures the chosen one.

The bank's splits keep test norms and lent vignettes apart (see :mod:`primum.bank.splits`). Choosing rounds or recipes needs a third side that is
neither trained on nor reported: some of the training norms, kept apart here by norm. ``primum-choice:validation`` names such a part.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, Literal, get_args

from primum.bank.build import prepare
from primum.bank.forms.context import BuildContext
from primum.bank.splits import SEEN_NORM, TEST
from primum.errors import UnknownNameError
from primum.hashing import derived_seed
from primum.norms.library import packaged_norms
from primum.registry import nearest
from primum.schema.item import Item
from primum.schema.norm import Norm

Part = Literal["train", "validation", "seen-norm", "test"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
# Of a dimension's training norms, one in eight is kept for validation.
_ONE_IN: Final = 8


@cache
def packaged_context() -> BuildContext:
    """The packaged norms, prepared once a process."""
    return prepare(packaged_norms())


@cache
def validation_norms() -> frozenset[str]:
    """Ids of the training norms that are kept for validation, spread over the dimensions."""
    return choose_validation(packaged_context())


def choose_validation(context: BuildContext) -> frozenset[str]:
    """The validation norms of a build: within each primary dimension one training norm in eight, by seed."""
    by_dimension: dict[str, list[str]] = {}
    for norm in context.norms:
        if context.splits.get(norm.id) != TEST:
            by_dimension.setdefault(norm.dimension, []).append(norm.id)
    chosen: set[str] = set()
    for place, dimension in enumerate(sorted(by_dimension)):
        ranked = sorted(by_dimension[dimension], key=lambda identifier: derived_seed("validation", context.seed, identifier))
        # The offset spreads the remainders, so that dimensions of fewer than eight norms are not all passed over.
        chosen.update(identifier for rank, identifier in enumerate(ranked) if (rank + place) % _ONE_IN == 0)
    return frozenset(chosen)


def training_norms() -> tuple[Norm, ...]:
    """The norms that may be trained on, in file order: neither test nor validation."""
    context = packaged_context()
    return tuple(norm for norm in context.norms if context.splits.get(norm.id) != TEST and norm.id not in validation_norms())


def part_of(item: Item) -> Part:
    """The part an item of the packaged bank belongs to. A lent vignette of a validation norm is validation: its norm was never trained on."""
    context = packaged_context()
    if context.splits.get(item.norm) == TEST:
        return "test"
    if item.norm in validation_norms():
        return "validation"
    return "seen-norm" if item.groups.get("split") == SEEN_NORM else "train"


def check_part(task: str, name: str, parts: Sequence[Part] = PARTS) -> Part:
    """The part called ``name``.

    Raises:
        UnknownNameError: There is none; names the nearest.
    """
    for part in parts:
        if part == name:
            return part
    raise UnknownNameError(f"task {task} has no part {name!r}", remedy=nearest(name, parts))
