"""Checks of sources and norms: does the article exist in the cited version, and is the source still current?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from primum.norms.law_texts import LawText, LawTexts, has_article
from primum.schema.base import Record
from primum.schema.norm import Norm, NormFile, Source

Severity = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")


class Finding(Record):
    """Something to mend or to know.

    Attributes:
        severity: An ``error`` fails the check.
        where: Source or norm id.
        what: The problem.
        remedy: What to do about it.
    """

    severity: Severity
    where: str
    what: str
    remedy: str


def check_norms(files: Sequence[NormFile], *, texts: LawTexts | None = None, as_of: dt.date) -> list[Finding]:
    """All findings, in file order.

    Args:
        files: Sources with their norms.
        texts: Law texts to compare with; None leaves articles unchecked.
        as_of: The day for which a source must be in force.
    """
    sources = {file.source.id: file.source for file in files}
    findings = list(_cycles(sources))
    for file in files:
        findings += _status(file.source, sources, as_of, used=bool(file.norms))
        if texts is not None:
            findings += _articles(file, texts)
    return findings


def _cycles(sources: Mapping[str, Source]) -> Iterator[Finding]:
    """Supersession must end: A replaced by B replaced by A would make both stale."""
    reported: set[str] = set()
    for identifier in sources:
        chain: list[str] = []
        at: str | None = identifier
        while at is not None and at in sources and at not in chain:
            chain.append(at)
            at = sources[at].superseded_by
        if at is not None and at in chain and at not in reported:
            ring = chain[chain.index(at) :]
            reported.update(ring)
            yield Finding(
                severity="error",
                where=at,
                what=f"supersession runs in a circle: {' -> '.join([*ring, at])}",
                remedy="mend superseded_by in one of them",
            )


def _status(source: Source, sources: Mapping[str, Source], as_of: dt.date, *, used: bool) -> Iterator[Finding]:
    severity: Severity = "error" if used else "note"
    if source.superseded_by is not None and source.superseded_by not in sources:
        yield Finding(severity="warning", where=source.id, what=f"superseded by {source.superseded_by}, which is not here", remedy="add that source")
    if source.status == "repealed":
        replaced = f"; superseded by {source.superseded_by}" if source.superseded_by else ""
        yield Finding(severity=severity, where=source.id, what=f"repealed{replaced}", remedy="move its norms to the law in force, or retire them")
    elif source.status == "not_yet_in_force" or (source.effective is not None and source.effective > as_of):
        when = source.effective.isoformat() if source.effective else "an unknown day"
        yield Finding(severity=severity, where=source.id, what=f"not in force on {as_of}: effective {when}", remedy="withhold its norms until then")
    elif source.status == "amended":
        yield Finding(severity="warning", where=source.id, what="amended since the cited version", remedy="compare its norms with the newer text")
    if source.version is not None and source.version > as_of:
        yield Finding(
            severity=severity, where=source.id, what=f"version {source.version} is later than {as_of}", remedy="cite the version of that day"
        )


def _articles(file: NormFile, texts: LawTexts) -> Iterator[Finding]:
    source = file.source
    versions = texts.versions(source.title.zh)
    if not versions:
        if file.norms:
            what = f"no text of {source.title.en} among the law texts: {len(file.norms)} norms unchecked"
            yield Finding(severity="note", where=source.id, what=what, remedy="compare by hand, and say so in checked")
        return
    cited = source.version.isoformat() if source.version else ""
    text = next((text for text in versions if text.version == cited), None)
    if text is None:
        found = ", ".join(text.version or "undated" for text in versions)
        # A collection may simply be behind; a source that is older than every text it could be compared with is stale.
        behind = bool(cited) and versions[-1].version < cited
        yield Finding(
            severity="warning" if behind else "error",
            where=source.id,
            what=f"version {cited or 'undated'} is not among the law texts, which have {found}",
            remedy="use a newer collection of law texts" if behind else "cite a version that is there",
        )
        return
    later = versions[-1]
    if later.version > text.version:
        yield Finding(severity="warning", where=source.id, what=f"a later version is there: {later.version}", remedy="compare its norms with it")
    if text.stale:
        yield Finding(severity="error", where=source.id, what=f"the law texts call it {text.status}", remedy="move its norms to the law in force")
    for norm in file.norms:
        yield from _cited(norm, text, [other for other in versions if other is not text])


def _cited(norm: Norm, text: LawText, others: Sequence[LawText]) -> Iterator[Finding]:
    for article in (norm.article, *norm.related):
        # A related article may stand in another instrument, which it then names.
        if "《" in article or has_article(text, article):
            continue
        elsewhere = [other.version for other in others if has_article(other, article)]
        hint = f"; version {elsewhere[-1]} has it" if elsewhere else ""
        yield Finding(
            severity="error",
            where=norm.id,
            what=f"{article} does not exist in {text.title} ({text.version}){hint}",
            remedy="mend the article's number",
        )
