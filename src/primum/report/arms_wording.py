"""The words of the arms, dose and reproduction pages, in Chinese and in English; they live in ``data/ui/arms.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal

from primum.report.wording import fill, read_phrases, same_in_both
from primum.schema.base import Bilingual
from primum.schema.card import MetricCard

Kind = Literal["safety", "over_refusal", "ability", "other"]
KINDS: Final[tuple[Kind, ...]] = ("safety", "over_refusal", "ability", "other")
_KIND_OF: Final[dict[str, Kind]] = {
    "risk": "safety", "harmfulness": "safety", "refusal": "safety", "final_plain": "safety", "final_weighted": "safety", "quality": "safety",
    "over_refusal": "over_refusal", "accuracy": "ability",
}  # fmt: skip


@cache
def arms_phrases() -> Mapping[str, Bilingual]:
    """Every phrase by its dotted key.

    Raises:
        ConfigError: The file lacks one of the two languages somewhere.
    """
    return read_phrases("arms.yaml")


def tell_arms(key: str, **parts: object) -> Bilingual:
    """One phrase with its ``{parts}`` filled in; a bilingual part is filled in the language of the sentence.

    Raises:
        KeyError: There is no such phrase, or a part is missing: a fault of the page, not of its data.
    """
    return fill(arms_phrases()[key], parts)


def arm_name(name: str) -> Bilingual:
    """An arm, such as ``sft+dpo``, in words."""
    return arms_phrases().get(f"arm.{name}") or same_in_both(name)


def origin_name(name: str) -> Bilingual:
    """Where demonstrations come from, in words."""
    return arms_phrases().get(f"origin.{name}") or same_in_both(name)


def kind_of(card: MetricCard) -> Kind:
    """What a metric speaks of."""
    return _KIND_OF.get(card.name, "other")
