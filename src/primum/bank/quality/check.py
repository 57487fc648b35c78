"""All quality checks in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from primum.bank.build import build_items, prepare
from primum.bank.quality.extent import check_extent
from primum.bank.quality.giveaway import check_giveaways
from primum.bank.quality.limits import Limits
from primum.bank.quality.parity import check_parity
from primum.bank.quality.report import SHOWN_EXAMPLES, Check
from primum.bank.quality.structure import check_structure
from primum.bank.quality.surface import check_surface
from primum.bank.similarity import Pair, bank_texts, near_duplicates
from primum.norms.retrieval import NormIndex
from primum.schema.base import LANGUAGES, Language
from primum.schema.item import Item
from primum.schema.norm import Norm, NormFile

RECALL = 0.85


def check_bank(
    files: Sequence[NormFile], limits: Limits, *, similarity: bool = True, advance: Callable[[int], None] = lambda done: None
) -> Iterator[Check]:
    """Yield every check as it is done.

    Args:
        files: Sources with their norms.
        limits: The bars.
        similarity: Also look for near-duplicates (the slow part: every text is embedded).
        advance: Told how many texts were embedded.
    """
    context = prepare(files)
    items: Mapping[Language, Sequence[Item]] = {language: list(build_items(context, language)) for language in LANGUAGES}
    yield from check_extent(files, items["zh"], limits.extent)
    yield from check_structure(files, items["zh"], items["en"])
    yield from check_parity(context.norms, limits)
    yield from check_surface(context.norms, items, limits)
    yield from check_giveaways(items, limits)
    index = NormIndex(context.norms)
    for language in LANGUAGES:
        hits, tries = index.recall(language)
        yield Check(name=f"norm found by its vignette, recall at 5 ({language})", value=round(hits / max(1, tries), 4), low=RECALL, n=tries)
    if similarity:
        yield from _duplicates(context.norms, dict(context.splits), limits, advance)


def _duplicates(norms: Sequence[Norm], splits: dict[str, str], limits: Limits, advance: Callable[[int], None]) -> Iterator[Check]:
    texts = list(bank_texts(norms, splits))
    pairs = near_duplicates(texts, advance=advance)
    doubled = {(pair.language, name) for pair in pairs for name in (pair.one, pair.other)}
    across = [pair for pair in pairs if "test" in pair.splits and set(pair.splits) != {"test"}]
    yield Check(
        name="texts with a near-duplicate in another norm",
        value=round(len(doubled) / max(1, len(texts)), 5),
        high=limits.duplicates,
        n=len(texts),
        examples=_shown(pairs),
    )
    yield Check(name="near-duplicates between training and test", value=len(across), high=limits.leaks, n=len(texts), examples=_shown(across))


def _shown(pairs: Sequence[Pair]) -> tuple[str, ...]:
    return tuple(
        f"{pair.one} ~ {pair.other} ({pair.language}, jaccard {pair.jaccard}, cosine {pair.cosine}, {'/'.join(pair.splits)})"
        for pair in pairs[:SHOWN_EXAMPLES]
    )
