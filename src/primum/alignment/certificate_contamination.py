"""No certificate where training and test overlap: every test item that was asked, against every text that was trained on."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from primum.alignment.certificate_runs import RunPair
from primum.alignment.contamination import find_held_out
from primum.bank.contamination import SHORTEST
from primum.bank.similarity import Text
from primum.errors import InputError
from primum.hashing import sha256_of
from primum.schema.certificate import Contamination
from primum.schema.training import Demonstration, Preference

Row = Demonstration | Preference
_NAMED: Final = 8


class ContaminationError(InputError):
    """The model was trained on what it is tested with, so nothing can be certified."""


def check_contamination(pairs: Sequence[RunPair], rows: Sequence[Row]) -> Contamination:
    """Compare training rows with the items that both runs were asked: by hash, by shared wording and by meaning.

    Args:
        pairs: The runs.
        rows: What was trained on; none means that nobody knows, and the result says so.

    Returns:
        What was compared; an overlap never returns.

    Raises:
        ContaminationError: A training row repeats a test item or is nearly the same; names both by id.
    """
    items = [(pair, item) for pair in pairs for item in pair.before.items.values()]
    counts = Counter(pair.task for pair in pairs for _ in pair.before.items)
    if not rows:
        return Contamination(checked=False, items=dict(sorted(counts.items())))
    asked = {_digest(item.question): f"{pair.task}/{item.id}" for pair, item in items if len(item.question) >= SHORTEST[pair.language]}
    exact = {row.id: asked[digest] for row in rows for text in _texts(row) if (digest := _digest(text)) in asked}
    texts = [
        Text(name=f"{pair.task}/{item.id}", owner=item.norm, split="test", language=pair.language, text=_situation(item.question, pair))
        for pair, item in items
        if len(item.question) >= SHORTEST[pair.language]
    ]
    found = {**find_held_out(rows, texts), **exact}
    if found:
        named = ", ".join(f"{row} ~ {item}" for row, item in sorted(found.items())[:_NAMED])
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise ContaminationError(
            f"training and test overlap in {len(found)} training rows, so nothing is certified: {named}{more}",
            remedy="leave these rows out, train again, and evaluate the new model",
        )
    return Contamination(
        checked=True,
        training=sum(1 for row in rows for _ in _texts(row)),
        items=dict(sorted(counts.items())),
        training_sha256=sha256_of([[row.id, *_texts(row)] for row in rows]),
    )


def _situation(question: str, pair: RunPair) -> str:
    """Our choice items end with a stem that many share; the situation stands before it."""
    head, mark, _ = question.rpartition("\n\n")
    return head if mark and pair.base_task.startswith("primum-") else question


def _texts(row: Row) -> Iterator[str]:
    yield from (message.content for message in row.messages if message.role == "user")
    yield from (row.answer,) if isinstance(row, Demonstration) else (row.chosen, row.rejected)


def _digest(text: str) -> str:
    """Hash of a text without case, width, punctuation and space."""
    plain = re.sub(r"\W+", "", unicodedata.normalize("NFKC", text).casefold())
    return hashlib.sha256(plain.encode(errors="surrogatepass")).hexdigest()
