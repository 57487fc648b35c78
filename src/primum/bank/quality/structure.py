"""Structure: ids, references between items and norms, and the same item in both languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from primum.bank.quality.report import SHOWN_EXAMPLES, Check
from primum.schema.item import Item
from primum.schema.norm import NormFile


def check_structure(files: Sequence[NormFile], chinese: Sequence[Item], english: Sequence[Item]) -> Iterator[Check]:
    """Faults of structure; each must be 0."""
    norms = {norm.id: norm for file in files for norm in file.norms}
    twice = [f"{task}: {name}" for (task, name), count in Counter((item.task, item.id) for item in chinese).items() if count > 1]
    yield _none("item ids that stand twice", twice, len(chinese))
    yield _none("items without a norm", [item.id for item in chinese if item.norm not in norms], len(chinese))
    pairs = {(item.task, item.id): item for item in english}
    unlike = [item.id for item in chinese if not _parallel(item, pairs.get((item.task, item.id)))]
    yield _none("items that differ in structure between the languages", unlike, len(chinese))
    options = [item.id for items in (chinese, english) for item in items if len(set(item.options)) != len(item.options)]
    yield _none("items with two equal options", options, 2 * len(chinese))
    answers = [norm.id for norm in norms.values() if len({answer.kind for answer in norm.answers}) != len(norm.answers)]
    yield _none("norms with two answers of one kind", answers, len(norms))


def _parallel(one: Item, other: Item | None) -> bool:
    return other is not None and (one.form, one.answer, len(one.options), one.norm, len(one.turns), one.cluster) == (
        other.form, other.answer, len(other.options), other.norm, len(other.turns), other.cluster
    )  # fmt: skip


def _none(name: str, found: list[str], n: int) -> Check:
    return Check(name=name, value=len(found), high=0, n=n, examples=tuple(found[:SHOWN_EXAMPLES]))
