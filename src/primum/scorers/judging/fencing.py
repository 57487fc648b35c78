"""Keeping an answer under judgement from speaking to its judge.

Three things stand against an answer that pretends to be the verdict. It lies between lines with a mark that occurs nowhere in it, so it cannot
close the fence. The verdict must carry a case number that occurs nowhere in it either, so no JSON of its own, however a judge repeats it, is
taken for the verdict. And the control tokens of chat templates are broken up, so that a local tokenizer reads them as text. None of this
keeps a judge from being *persuaded*: that is measured (agreement with people), not prevented.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from itertools import count
from typing import Final

ANSWER_LIMIT: Final = 12_000
_MARK_DIGITS: Final = 12
# <|im_start|>, <｜User｜>, <start_of_turn>, [INST], <<SYS>>, <s>: what tokenizers may read as control tokens though it stands in running text.
_CONTROL: Final = re.compile(
    r"<(?=[|｜][^<>\n]{1,60}[|｜]>)|<(?=/?(?:start_of_turn|end_of_turn|s|unused\d{1,3}|bos|eos|pad|sep|cls)>)|\[(?=/?INST\])|<(?=</?SYS>>)",
    re.IGNORECASE,
)


def make_mark(texts: Sequence[str], *, purpose: str) -> str:
    """Twelve hex digits that occur in none of ``texts``, equal for equal texts and purpose.

    They are the first of a series of hashes over the texts that fits. A text can hold neither the mark made from it, since that is checked, nor
    know it beforehand, since it depends on every character of the text.
    """
    base = hashlib.sha256(purpose.encode())
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        base.update(len(encoded).to_bytes(8, "big"))
        base.update(encoded)
    folded = [text.lower() for text in texts]
    for number in count():
        digest = base.copy()
        digest.update(number.to_bytes(8, "big"))
        mark = digest.hexdigest()[:_MARK_DIGITS]
        if not any(mark in text for text in folded):
            return mark
    raise AssertionError


def cut_middle(text: str, *, limit: int, sign: str) -> str:
    """``text``, or its head and tail with ``sign`` between them where it is longer than ``limit`` characters.

    Args:
        text: The text.
        limit: Characters of the text to keep at most.
        sign: What stands for the gap; ``{{count}}`` in it becomes the number of characters left out.
    """
    if len(text) <= limit:
        return text
    head = limit - limit // 2
    tail = limit - head
    gap = sign.replace("{{count}}", str(len(text) - limit))
    return f"{text[:head]}\n{gap}\n{text[len(text) - tail :]}"


def fence(text: str, *, mark: str, label: str, begin: str, end: str) -> str:
    """The text between two lines that carry the mark, its control tokens broken up."""
    return f"<<< {mark} {label} {begin} >>>\n{break_control_tokens(text)}\n<<< {mark} {label} {end} >>>"


def break_control_tokens(text: str) -> str:
    """Part the first character of each control token of a chat template from the rest by a blank."""
    return _CONTROL.sub(lambda found: f"{found[0]} ", text)
