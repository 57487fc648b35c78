"""Does a training file hold test items, or texts that are nearly the same?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from primum.bank.similarity import COSINE, JACCARD, Text, fingerprint, index_of, shingles
from primum.errors import DataFormatError
from primum.norms.retrieval import language_of
from primum.norms.sentence_encoder import encode_sentences
from primum.schema.base import LANGUAGES, Language, Record
from primum.tables import read_rows

# A training text is often longer than ours (question, options, answer): then most of our shingles stand in it although few of its stand in ours.
CONTAINED: Final = 0.7
# Shorter texts agree by chance: "I can't help with that."
SHORTEST: Final[Mapping[Language, int]] = {"zh": 12, "en": 30}


class Overlap(Record):
    """A row of the user's file that is nearly one of our texts.

    Attributes:
        row: Row number in the file.
        column: Column name.
        text: Name of our text.
        split: Its split.
        language: Its language.
        contained: Share of our shingles that stand in the row.
        jaccard: Estimated share of shared shingles.
        cosine: Of the embeddings.
    """

    row: int
    column: str
    text: str
    split: str
    language: Language
    contained: float
    jaccard: float
    cosine: float


class Cell(Record):
    """One text of the user's file."""

    row: int
    column: str
    language: Language
    text: str


def read_cells(path: Path) -> list[Cell]:
    """Every text of a table that is long enough to compare: strings, and strings inside lists and objects (chat messages).

    Raises:
        DataMissingError: No such file.
        DataFormatError: The file cannot be read, or holds no text.
    """
    cells = [
        Cell(row=row.number, column=name, language=language_of(text), text=text)
        for row in read_rows(path)
        for name, value in row.values.items()
        for text in _strings(value)
    ]
    kept = [cell for cell in cells if len(cell.text) >= SHORTEST[cell.language]]
    if not kept:
        raise DataFormatError(f"{path}: no text long enough to compare", remedy="give the training file with its questions")
    return kept


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def find_overlaps(cells: Sequence[Cell], texts: Sequence[Text], *, advance: Callable[[int], None] = lambda done: None) -> list[Overlap]:
    """Rows that hold one of our texts, word for word, reworded, or inside a longer text; the closest first.

    Args:
        cells: The user's texts.
        texts: Ours.
        advance: Told how many texts were embedded.
    """
    found: list[Overlap] = []
    for language in LANGUAGES:
        ours = [text for text in texts if text.language == language]
        theirs = [cell for cell in cells if cell.language == language]
        if not ours or not theirs:
            continue
        pairs = _candidates(ours, theirs, language, advance)
        sets = {place: shingles(ours[place].text, language) for place in {one for one, _ in pairs}}
        for (place, row), cosine in sorted(pairs.items()):
            theirs_set = shingles(theirs[row].text, language)
            shared = len(sets[place] & theirs_set)
            contained, jaccard = shared / len(sets[place]), shared / len(sets[place] | theirs_set)
            if contained >= CONTAINED or jaccard >= JACCARD or cosine >= COSINE:
                found.append(_overlap(theirs[row], ours[place], contained, jaccard, cosine))
    return sorted(found, key=lambda hit: (-max(hit.contained, hit.jaccard, hit.cosine), hit.row, hit.text))


def _overlap(cell: Cell, text: Text, contained: float, jaccard: float, cosine: float) -> Overlap:
    return Overlap(
        row=cell.row,
        column=cell.column,
        text=text.name,
        split=text.split,
        language=text.language,
        contained=round(contained, 3),
        jaccard=round(jaccard, 3),
        cosine=round(cosine, 3),
    )


# Texts that training is compared with are the same in every comparison of a process, and reading one costs milliseconds.
_known: Final[dict[str, np.ndarray]] = {}


def _vectors_of(texts: Sequence[str], advance: Callable[[int], None]) -> np.ndarray:
    """Vectors of our own texts, each embedded once in a process; shape ``(len(texts), 512)``."""
    new = [text for text in dict.fromkeys(texts) if text not in _known]
    _known.update(zip(new, encode_sentences(new, advance=advance), strict=True))
    return np.stack([_known[text] for text in texts])


def _candidates(ours: Sequence[Text], theirs: Sequence[Cell], language: Language, advance: Callable[[int], None]) -> dict[tuple[int, int], float]:
    """Pairs worth an exact look, with their cosines."""
    our_vectors = _vectors_of([text.text for text in ours], advance)
    their_vectors = encode_sentences([cell.text for cell in theirs], advance=advance)
    cosines = our_vectors @ their_vectors.T
    pairs = {(int(one), int(other)) for one, other in zip(*np.nonzero(cosines >= COSINE), strict=True)}
    index = index_of([fingerprint(text.text, language) for text in ours])
    holders: dict[str, list[int]] = {}
    for place, text in enumerate(ours):
        for shingle in shingles(text.text, language):
            holders.setdefault(shingle, []).append(place)
    sizes = [len(shingles(text.text, language)) for text in ours]
    for row, cell in enumerate(theirs):
        pairs.update((place, row) for place in index.query(fingerprint(cell.text, language)))
        counts: dict[int, int] = {}
        for shingle in shingles(cell.text, language):
            for place in holders.get(shingle, ()):
                counts[place] = counts.get(place, 0) + 1
        pairs.update((place, row) for place, count in counts.items() if count >= CONTAINED * sizes[place])
    return {pair: float(cosines[pair]) for pair in pairs}
