"""What the bank and outside training files have to teach: every candidate demonstration, by origin, of training norms only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

from primum.alignment.prompts import CASE_QUESTION, case_text, pool, trainable_vignettes
from primum.errors import DataFormatError, UsageError
from primum.guardian.material import load_material, request_text
from primum.hashing import sha256_of
from primum.schema.alignment import TargetPrompt
from primum.schema.base import LANGUAGES, Language
from primum.schema.guardian import LabelledExchange
from primum.schema.item import Message
from primum.schema.norm import Norm
from primum.schema.training import Demonstration, Origin, Preference
from primum.tables import read_rows
from primum.tasks.opening import open_task
from primum.tasks.primum_bank.parts import packaged_context, training_norms

# Safe answers to harmful requests, the fullest first; curt ones are what a small model can learn in a language it hardly knows. Bare refusals and
# vague ones teach too little, alarming ones the wrong tone.
_REQUEST_FORMS: Final = ("redirect", "compliant", "compliant_curt", "edit")
_BENIGN_FORMS: Final = ("helpful", "twin")
_GENERAL_FORMS: Final = ("topic_refusal", "topic_safe_other", "topic_helpful", "long_safe", "long_helpful", "remark_safe", "shared")
_HEALTH_FORMS: Final = ("clinical_good", "clinical_good_plain", "edited")
_MSB: Final = "medsafetybench"
_GENERAL_FILE: Final = f"{_MSB}/ft_safety_gen_n900.json"


@cache
def material() -> tuple[LabelledExchange, ...]:
    """The labelled texts of training norms and of topics; models' own answers and held-out norms left out."""
    norms = {norm.id: norm for norm in packaged_context().norms}
    trainable = {norm.id for norm in training_norms()}
    return tuple(entry for entry in load_material(norms) if entry.form != "model" and (entry.cluster not in norms or entry.cluster in trainable))


@cache
def _conversations() -> dict[tuple[str, str, Language], tuple[Message, ...]]:
    """The bank's conversation behind a request's text, so that pressure over turns is learnt as turns."""
    found: dict[tuple[str, str, Language], tuple[Message, ...]] = {}
    norms = {norm.id: norm for norm in training_norms()}
    for prompts in pool().values():
        for prompt in prompts:
            if prompt.kind == "request":
                number = int(prompt.id.rpartition("request-")[2].partition("@")[0])
                found[prompt.norm, request_text(norms[prompt.norm], number, prompt.language), prompt.language] = prompt.messages
    return found


@cache
def _case_texts() -> dict[tuple[str, str, Language], str]:
    """The open question behind a vignette's text; lent vignettes are not among them."""
    return {
        (norm.id, vignette.in_language(language), language): case_text(vignette, language)
        for norm in training_norms()
        for vignette in trainable_vignettes(norm)
        for language in LANGUAGES
    }


def _messages(entry: LabelledExchange) -> tuple[Message, ...]:
    """The conversation to learn; empty where the text must not be shown (a lent vignette)."""
    key = (entry.cluster, entry.exchange.prompt, entry.language)
    if entry.form == "case":
        text = _case_texts().get(key)
        return (Message(role="user", content=text),) if text else ()
    return _conversations().get(key, (Message(role="user", content=entry.exchange.prompt),))


def _made(entry: LabelledExchange, origin: Origin) -> Iterator[Demonstration]:
    messages = _messages(entry)
    if messages:
        yield Demonstration(
            id=f"{origin}/{entry.cluster}/{entry.form}-{sha256_of([entry.exchange.prompt, entry.exchange.answer])[:8]}@{entry.language}",
            messages=messages,
            answer=entry.exchange.answer,
            origin=origin,
            language=entry.language,
            norm=entry.exchange.norm,
        )


def bank_demonstrations() -> Iterator[Demonstration]:
    """Safe answers to harmful requests and to open cases of training norms."""
    for form in _REQUEST_FORMS:
        for entry in material():
            if entry.form == form and not entry.risky and entry.benign is False:
                yield from _made(entry, "bank")
    for entry in material():
        if entry.form == "case" and not entry.risky and entry.quality and sum(entry.quality) >= 2:
            yield from _made(entry, "bank")


def benign_demonstrations() -> Iterator[Demonstration]:
    """Helpful answers to look-alikes of training norms, and to health questions."""
    for form in (*_BENIGN_FORMS, *_HEALTH_FORMS):
        for entry in material():
            if entry.form == form and not entry.risky and entry.benign:
                yield from _made(entry, "benign")


def choice_demonstrations() -> Iterator[Demonstration]:
    """Choice items of training norms: exactly the task's prompt, and the letters."""
    task = open_task("primum-choice:train")
    for language in LANGUAGES:
        for item in task.items(None, language):
            yield Demonstration(
                id=f"choice/{item.id}@{language}", messages=task.prompt(item), answer="".join(item.answer), origin="choice", language=language,
                norm=item.norm,
            )  # fmt: skip


def general_demonstrations(data: Path | None) -> Iterator[Demonstration]:
    """Everyday safety topics, harmful and legitimate by halves, and paper C's general safety answers where they are at hand.

    Raises:
        DataFormatError: The file of general safety answers does not fit.
    """
    for form in _GENERAL_FORMS:
        for entry in material():
            if entry.form == form and not entry.risky:
                yield from _made(entry, "general")
    path = data / _GENERAL_FILE if data is not None else None
    if path is not None and path.is_file():
        for number, row in enumerate(_general_rows(path)):
            yield Demonstration(
                id=f"general/safety-{number}", messages=(Message(role="user", content=row[0]),), answer=row[1], origin="general", language="en"
            )


def _general_rows(path: Path) -> Iterator[tuple[str, str]]:
    try:
        rows: Any = orjson.loads(path.read_bytes())
        for row in rows:
            yield "\n".join(part for part in (row["instruction"].strip(), row["input"].strip()) if part), row["output"].strip()
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise DataFormatError(f"{path}: not a list of instruction, input and output", remedy="fetch the file again") from error


def medsafetybench_demonstrations(data: Path | None) -> Iterator[Demonstration]:
    """MedSafetyBench's safe training answers (arXiv 2403.03744), where they are at hand.

    Raises:
        DataFormatError: A row lacks its request or its answer; names file and row.
    """
    if data is None:
        return
    for path in sorted((data / _MSB / "train").glob("*/med_safety_demonstrations_category_*.csv")):
        for row in read_rows(path, required=("harmful_medical_request", "safe_response")):
            request, answer = (str(row.values.get(column) or "").strip() for column in ("harmful_medical_request", "safe_response"))
            if not request or not answer:
                raise DataFormatError(f"{path}: row {row.number}: no {'answer' if request else 'request'}", remedy="fill it in, or drop the row")
            yield Demonstration(
                id=f"medsafetybench/{path.parent.name}-{path.stem.rpartition('_')[2]}-{row.number}",
                messages=(Message(role="user", content=request),), answer=answer, origin="medsafetybench", language="en",
            )  # fmt: skip


@cache
def candidates(origin: Origin, data: Path | None) -> tuple[Demonstration, ...]:
    """Every candidate of an origin, in file order, each conversation and answer once.

    Raises:
        UsageError: The origin is one that only a run makes.
        DataFormatError: An outside file does not fit.
    """
    makers: dict[Origin, Callable[[], Iterator[Demonstration]]] = {
        "bank": bank_demonstrations,
        "benign": benign_demonstrations,
        "choice": choice_demonstrations,
        "general": lambda: general_demonstrations(data),
        "medsafetybench": lambda: medsafetybench_demonstrations(data),
    }
    found: dict[tuple[tuple[Message, ...], str], Demonstration] = {}
    if origin not in makers:
        raise UsageError(f"origin {origin!r} has no demonstrations of its own", remedy=f"give shares to {', '.join(makers)}")
    for row in makers[origin]():
        found.setdefault((row.messages, row.answer), row)
    ids: dict[str, Demonstration] = {row.id: row for row in found.values()}
    return tuple(ids.values())


@cache
def _fallbacks() -> dict[tuple[Message, ...], str]:
    found: dict[tuple[Message, ...], str] = {}
    for row in (*bank_demonstrations(), *benign_demonstrations()):
        found.setdefault(row.messages, row.answer)
    return found


def fallback_answer(prompt: TargetPrompt) -> str | None:
    """The bank's own answer to a prompt; for a case without one, its right conduct and the norm behind it."""
    if answer := _fallbacks().get(prompt.messages):
        return answer
    norm = next((norm for norm in training_norms() if norm.id == prompt.norm), None)
    return _case_answer(norm, prompt) if norm is not None and prompt.kind == "case" else None


def _case_answer(norm: Norm, prompt: TargetPrompt) -> str | None:
    asked = prompt.messages[-1].content.removesuffix(f"\n\n{CASE_QUESTION.in_language(prompt.language)}")
    for vignette in trainable_vignettes(norm):
        if vignette.in_language(prompt.language) == asked:
            return f"{vignette.right.in_language(prompt.language)}\n\n{norm.statement.in_language(prompt.language)}"
    return None


def bank_preferences() -> Iterator[Preference]:
    """Hard pairs of training norms: nearly the same answer, safe over risky; and help over a needless refusal of the same question."""
    by_prompt: dict[tuple[str, str, Language], dict[str, list[LabelledExchange]]] = {}
    for entry in material():
        if entry.exchange.norm and entry.form in {"edit", "helpful", "refused", "redirect", "hedged"}:
            slot = f"{entry.form}-{'risky' if entry.risky else 'safe'}"
            by_prompt.setdefault((entry.cluster, entry.exchange.prompt, entry.language), {}).setdefault(slot, []).append(entry)
    couples: Sequence[tuple[str, str]] = (("edit-safe", "edit-risky"), ("redirect-safe", "hedged-risky"), ("helpful-safe", "refused-safe"))
    for slots in by_prompt.values():
        for good, bad in couples:
            for better, worse in zip(slots.get(good, ()), slots.get(bad, ()), strict=False):
                yield Preference(
                    id=f"bank/{better.cluster}/{good}-{sha256_of([better.exchange.answer, worse.exchange.answer])[:8]}@{better.language}",
                    messages=_messages(better), chosen=better.exchange.answer, rejected=worse.exchange.answer, origin="bank",
                    language=better.language, norm=better.exchange.norm,
                )  # fmt: skip
