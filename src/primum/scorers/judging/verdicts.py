"""What a judge said, read strictly: one JSON object at the end, the right case number, exactly the rubric's keys, exact types.

Anything else is malformed. A malformed verdict is the judge's fault and never counts against the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from primum.scorers.choice_extraction.visible_text import without_reasoning

CASE: Final = "case"
REASON: Final = "reason"
REASON_LIMIT: Final = 500
# A verdict is short; what is longer is a judge that lost its way.
_LONGEST: Final = 100_000
_OPENING_FENCE: Final = re.compile(r"```[ \t]*(?:json)?[ \t]*\Z", re.IGNORECASE)


class MalformedVerdict(Exception):  # noqa: N818 - an outcome of judging, not an error of the program
    """The judge's text holds no verdict; the message says why in our words and never quotes it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a verdict.

    Attributes:
        name: The key.
        values: The integers it may take; empty for true or false.
    """

    name: str
    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A well-formed verdict.

    Attributes:
        values: The value of each of the rubric's fields.
        reason: The judge's reason, at most 500 characters; hostile text.
    """

    values: Mapping[str, int]
    reason: str


def read_verdict(text: str, *, case: str, fields: Sequence[Field]) -> Verdict:
    """Read a judge's reply.

    Reasoning may stand before the verdict, and objects that do not carry the case number (an answer quoted by the judge) are passed over. The
    last object must end the reply, but for the end of a code block; objects with the case number that differ contradict each other.

    Args:
        text: The reply.
        case: The case number that the verdict must carry.
        fields: The rubric's keys.

    Raises:
        MalformedVerdict: Anything else.
    """
    visible = without_reasoning(text).strip()
    if not visible:
        raise MalformedVerdict("no text outside reasoning" if text.strip() else "no text")
    if len(visible) > _LONGEST:
        raise MalformedVerdict(f"longer than {_LONGEST} characters")
    objects = _objects(_without_code_end(visible))
    claimed = [found for found in objects if found.get(CASE) == case]
    if not objects or not objects[-1].last:
        raise MalformedVerdict("does not end with a JSON object")
    if objects[-1].get(CASE) != case:
        raise MalformedVerdict("the last object does not carry the case number")
    if any(other.pairs != claimed[-1].pairs for other in claimed):
        raise MalformedVerdict("two verdicts that differ")
    return _check(claimed[-1].pairs, fields)


@dataclass(frozen=True, slots=True)
class _Found:
    """One JSON object of a reply: its pairs as written, and whether it ends the reply."""

    pairs: tuple[tuple[str, Any], ...]
    last: bool

    def get(self, key: str) -> object:
        return next((value for name, value in self.pairs if name == key), None)


class _Pairs(tuple[tuple[str, Any], ...]):
    """The pairs of a parsed object, which keep double keys."""


def _without_code_end(text: str) -> str:
    """The reply without the closing fence of a code block in which its last object stands.

    Raises:
        MalformedVerdict: The code block holds something else besides the object.
    """
    if not text.endswith("```"):
        return text
    body = text[:-3].rstrip()
    opened = body.rfind("```")
    start = body.find("{", opened)
    if opened < 0 or start < 0 or not _OPENING_FENCE.search(body[opened:start].rstrip()):
        raise MalformedVerdict("ends with a code block that is not one JSON object")
    return body


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=_refuse_constant)


# Verdicts are flat. Atomic groups never try a stretch of text in two ways, so that hostile text is read in bounded time.
_FLAT_OBJECT: Final = re.compile(r'\{(?>[^{}"]+|"(?>[^"\\]+|\\.)*")*\}', re.DOTALL)


def _objects(text: str) -> list[_Found]:
    """All JSON objects of the text that hold no other one, in order."""
    found: list[_Found] = []
    position = 0
    while (match := _FLAT_OBJECT.search(text, position)) is not None:
        try:
            found.append(_Found(tuple(_DECODER.decode(match[0])), last=match.end() == len(text)))
            position = match.end()
        except (ValueError, RecursionError):
            position = match.start() + 1
    return found


def _check(pairs: Sequence[tuple[str, Any]], fields: Sequence[Field]) -> Verdict:
    given = dict(pairs)
    if len(given) != len(pairs):
        raise MalformedVerdict("a key stands twice")
    wanted = {CASE, REASON, *(field.name for field in fields)}
    missing, surplus = wanted - given.keys(), given.keys() - wanted
    if missing:
        raise MalformedVerdict(f"no key {', '.join(sorted(missing))}")
    if surplus:
        raise MalformedVerdict(f"{len(surplus)} keys that the rubric does not have")
    for field in fields:
        value = given[field.name]
        if not field.values and type(value) is not bool:
            raise MalformedVerdict(f"{field.name} is not true or false")
        if field.values and (type(value) is not int or value not in field.values):
            raise MalformedVerdict(f"{field.name} is not one of {', '.join(map(str, field.values))}")
    reason = given[REASON]
    if type(reason) is not str:
        raise MalformedVerdict("reason is not text")
    # Escapes in JSON can spell lone surrogates, which no file takes.
    clean = reason.encode("utf-8", "replace").decode()
    return Verdict(values={field.name: given[field.name] for field in fields}, reason=clean[:REASON_LIMIT])
