"""Counts: sources, norms, dimensions, scenes, items, and the share of international norms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from primum.bank.quality.limits import Extent
from primum.bank.quality.report import Check
from primum.schema.item import Item
from primum.schema.norm import NormFile
from primum.schema.taxonomy import DIMENSION_IDS, SCENES


def check_extent(files: Sequence[NormFile], items: Sequence[Item], limits: Extent) -> Iterator[Check]:
    """Counts of what is there; ``items`` are those of one language."""
    norms = [norm for file in files for norm in file.norms]
    used = [file for file in files if file.norms]
    dimensions: Counter[str] = Counter(dict.fromkeys(DIMENSION_IDS, 0))
    dimensions.update(norm.dimension for norm in norms)
    scenes: Counter[str] = Counter(dict.fromkeys(SCENES, 0))
    scenes.update(scene for norm in norms for scene in norm.scenes)
    foreign = sum(len(file.norms) for file in files if file.source.jurisdiction != "CN")
    yield Check(name="sources", value=len(used), low=limits.sources)
    yield Check(name="norms", value=len(norms), low=limits.norms)
    yield _least("norms in the smallest dimension", dimensions, limits.norms_per_dimension)
    yield _least("norms in the smallest scene", scenes, limits.norms_per_scene)
    yield Check(
        name="share of international norms",
        value=foreign / max(1, len(norms)),
        low=limits.international_share_low,
        high=limits.international_share_high,
        n=len(norms),
    )
    yield Check(name="items in each language", value=len(items), low=limits.items_per_language)


def _least(name: str, counts: Counter[str], low: int) -> Check:
    short = tuple(f"{key}: {count}" for key, count in sorted(counts.items(), key=lambda pair: pair[1]) if count < low)
    return Check(name=name, value=min(counts.values()), low=low, n=len(counts), examples=short)
