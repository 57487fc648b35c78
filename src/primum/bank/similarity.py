"""Near-duplicates: by shared wording (MinHash) and by meaning (sentence embeddings), within the bank, across splits, and in a user's files.

MinHash estimates the Jaccard similarity of two texts' shingles (Broder 1997); locality-sensitive hashing finds the pairs without comparing all.
Embeddings find paraphrases that share little wording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from primum.norms.sentence_encoder import encode_sentences
from primum.schema.base import LANGUAGES, Language, Record
from primum.schema.norm import Norm

if TYPE_CHECKING:
    from datasketch import MinHash, MinHashLSH

_PERMUTATIONS: Final = 128
_SEED: Final = 1
# Shingles: runs of characters in Chinese, of words in English, after what carries no meaning is gone.
_SHINGLE: Final = {"zh": 3, "en": 3}
JACCARD: Final = 0.5
# Strict on purpose: no two texts of different norms in the bank come this near.
COSINE: Final = 0.93
_BLOCK: Final = 1024


@dataclass(frozen=True, slots=True)
class Text:
    """One text to compare.

    Attributes:
        name: Where it stands (``norm/vignette``, ``norm/request-0``).
        owner: Its norm; texts of one norm are alike on purpose.
        split: Its split, or empty.
        language: zh or en.
        text: What is compared.
    """

    name: str
    owner: str
    split: str
    language: Language
    text: str


class Pair(Record):
    """Two texts that are nearly the same.

    Attributes:
        one: Name of the first.
        other: Name of the second.
        language: Their language.
        jaccard: Estimated share of shared shingles.
        cosine: Of their embeddings.
        splits: Both splits.
    """

    one: str
    other: str
    language: Language
    jaccard: float
    cosine: float
    splits: tuple[str, str]


def bank_texts(norms: Sequence[Norm], splits: dict[str, str]) -> Iterator[Text]:
    """Every situation, case and request of the norms, in both languages. Options are left out: they recur within a norm on purpose."""
    for norm in norms:
        split = splits.get(norm.id, "")
        parts = [
            *((f"{norm.id}/{vignette.id}", vignette, splits.get(f"{norm.id}/{vignette.id}", split)) for vignette in norm.vignettes),
            *((f"{norm.id}/judgement-{number}", case, split) for number, case in enumerate(norm.judgements)),
            *((f"{norm.id}/request-{number}", request, split) for number, request in enumerate(norm.requests)),
            *((f"{norm.id}/benign-{number}", benign, split) for number, benign in enumerate(norm.benign)),
        ]
        for name, text, where in parts:
            for language in LANGUAGES:
                yield Text(name, norm.id, where, language, text.in_language(language))


def shingles(text: str, language: Language) -> set[str]:
    """Runs of three characters (zh) or words (en), punctuation and case gone; a shorter text is one shingle."""
    if language == "zh":
        units: Sequence[str] = re.sub(r"\W+", "", text)
        joint = ""
    else:
        units, joint = re.findall(r"[a-z0-9]+", text.lower()), " "
    width = _SHINGLE[language]
    return {joint.join(units[at : at + width]) for at in range(max(1, len(units) - width + 1))}


def fingerprint(text: str, language: Language) -> MinHash:
    """MinHash of a text's shingles."""
    from datasketch import MinHash

    sketch = MinHash(num_perm=_PERMUTATIONS, seed=_SEED)
    sketch.update_batch([shingle.encode() for shingle in sorted(shingles(text, language))])
    return sketch


def near_duplicates(texts: Sequence[Text], *, advance: Callable[[int], None] = lambda done: None) -> list[Pair]:
    """Pairs of different norms that are alike in wording or in meaning, the closest first.

    Args:
        texts: All texts; only those of one language are compared.
        advance: Told how many texts were embedded.
    """
    found: list[Pair] = []
    for language in LANGUAGES:
        chosen = [text for text in texts if text.language == language]
        if not chosen:
            continue
        vectors = encode_sentences([text.text for text in chosen], advance=advance)
        sketches = [fingerprint(text.text, language) for text in chosen]
        candidates = _alike_in_wording(sketches) | _alike_in_meaning(vectors)
        for one, other in sorted(candidates):
            if chosen[one].owner == chosen[other].owner:
                continue
            jaccard, cosine = sketches[one].jaccard(sketches[other]), float(vectors[one] @ vectors[other])
            if jaccard >= JACCARD or cosine >= COSINE:
                found.append(_pair(chosen[one], chosen[other], jaccard, cosine))
    return sorted(found, key=lambda pair: (-max(pair.jaccard, pair.cosine), pair.one, pair.other))


def _pair(one: Text, other: Text, jaccard: float, cosine: float) -> Pair:
    return Pair(
        one=one.name, other=other.name, language=one.language, jaccard=round(jaccard, 3), cosine=round(cosine, 3), splits=(one.split, other.split)
    )


def index_of(sketches: Sequence[MinHash]) -> MinHashLSH:
    """A locality-sensitive index; keys are places."""
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=JACCARD, num_perm=_PERMUTATIONS)
    for place, sketch in enumerate(sketches):
        index.insert(place, sketch, check_duplication=False)
    return index


def _alike_in_wording(sketches: Sequence[MinHash]) -> set[tuple[int, int]]:
    index = index_of(sketches)
    return {(min(place, other), max(place, other)) for place, sketch in enumerate(sketches) for other in index.query(sketch) if other != place}


def _alike_in_meaning(vectors: np.ndarray) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for start in range(0, len(vectors), _BLOCK):
        close = vectors[start : start + _BLOCK] @ vectors.T >= COSINE
        rows, columns = np.nonzero(close)
        found.update((int(row + start), int(column)) for row, column in zip(rows, columns, strict=True) if row + start < column)
    return found
