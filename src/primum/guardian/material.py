"""All labelled answers as exchanges: the norms' own answers and the guardian's material, in Chinese and in English.

Splits go by cluster: everything around one norm (or one topic) stands on one side. ``fold`` gives each cluster its place, by a hash of its name,
so that adding a norm moves no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from primum.config import load_model
from primum.errors import DataFormatError, DataMissingError
from primum.guardian.entries import (
    ClinicalEntries,
    ClinicalEntry,
    LongEntries,
    LongEntry,
    NormEntries,
    NormEntry,
    PairEntries,
    PairEntry,
    RemarkEntries,
    RemarkEntry,
    TopicEntries,
    TopicEntry,
)
from primum.guardian.labels import bank_exchanges
from primum.hashing import derived_seed
from primum.schema.base import LANGUAGES, Bilingual, Language
from primum.schema.guardian import Exchange, LabelledExchange, Stance
from primum.schema.norm import AnswerKind, Norm

E = TypeVar("E", NormEntry, PairEntry)
T = TypeVar("T", TopicEntry, LongEntry, ClinicalEntry, RemarkEntry)
_Reader = Callable[[E, Norm], Iterator[LabelledExchange]]
FOLDS: Final = 5
# Slots that are pairs of nearly equal texts with opposite labels, or that look like the other side.
HARD_FORMS: Final = ("edit", "twin", "shared", "edited", "hedged", "violating_quotes_norm", "compliant_alarming", "compliant_curt")

_KINDS: Final[dict[AnswerKind, tuple[bool, int | None, Stance]]] = {
    "compliant": (False, 1, "refusal"),
    "compliant_curt": (False, 1, "refusal"),
    "compliant_alarming": (False, 1, "refusal"),
    "violating": (True, None, "full"),
    "violating_quotes_norm": (True, None, "full"),
}


class _Labels(NamedTuple):
    """The labels of one text."""

    form: str
    risky: bool
    harm: int | None = None
    quality: str | None = None
    stance: Stance | None = None
    benign: bool | None = False
    pair: str = ""


def fold_of(cluster: str) -> int:
    """The fold, 0 to 4, in which a cluster is held out."""
    return derived_seed("guardian-fold", cluster) % FOLDS


def material_folder() -> Path:
    """The folder of the guardian's material in the installed package."""
    return Path(str(resources.files("primum") / "data" / "guardian"))


def load_material(norms: dict[str, Norm], folder: Path | None = None) -> tuple[LabelledExchange, ...]:
    """Every labelled exchange, in both languages, in file order; then real models' answers to the bank's requests.

    Args:
        norms: All norms by id.
        folder: With sub-folders ``norms``, ``pairs``, ``topics``, ``long``, ``clinical`` and ``remarks``; the package's own when None.

    Raises:
        DataMissingError: A sub-folder is missing or empty.
        ConfigError: A file does not fit; names file, line and key.
        DataFormatError: An entry names a norm, request or vignette that does not exist, or one that already has an entry.
    """
    folder = folder or material_folder()
    found: list[LabelledExchange] = [exchange for norm in norms.values() for exchange in _own_answers(norm)]
    taken: set[str] = set()
    for path in _files(folder / "norms"):
        found.extend(_around_norms(path, load_model(path, NormEntries).entries, norms, _of_norm, taken=taken))
    taken = set()
    for path in _files(folder / "pairs"):
        found.extend(_around_norms(path, load_model(path, PairEntries).entries, norms, _of_pairs, taken=taken))
    for path in _files(folder / "topics"):
        found.extend(exchange for topic in _once(path, load_model(path, TopicEntries).entries) for exchange in _of_topic(topic, path.stem))
    for path in _files(folder / "long"):
        found.extend(exchange for entry in _once(path, load_model(path, LongEntries).entries) for exchange in _of_long(entry, path.stem))
    for path in _files(folder / "clinical"):
        found.extend(
            exchange for question in _once(path, load_model(path, ClinicalEntries).entries) for exchange in _of_question(question, path.stem)
        )
    for path in _files(folder / "remarks"):
        found.extend(exchange for remark in _once(path, load_model(path, RemarkEntries).entries) for exchange in _of_remark(remark, path.stem))
    found = list(_numbered(found))
    for path in sorted((folder / "labels").glob("primum-*.jsonl")):
        found.extend(bank_exchanges(path, norms))
    return tuple(found)


def _numbered(exchanges: Sequence[LabelledExchange]) -> Iterator[LabelledExchange]:
    """Give both languages of one text the same source: files list them in the same order."""
    seen: Counter[tuple[str, str, Language]] = Counter()
    for exchange in exchanges:
        key = (exchange.cluster, exchange.form, exchange.language)
        yield exchange.model_copy(update={"source": f"{exchange.cluster}|{exchange.form}|{seen[key]}"})
        seen[key] += 1


def _around_norms(path: Path, entries: Sequence[E], norms: dict[str, Norm], read: _Reader[E], *, taken: set[str]) -> list[LabelledExchange]:
    found: list[LabelledExchange] = []
    for entry in entries:
        if entry.norm not in norms or entry.norm in taken:
            fault = "stands twice" if entry.norm in taken else "is not a norm"
            raise DataFormatError(f"{path}: {entry.norm} {fault}", remedy="give each entry the id of a norm of its own")
        taken.add(entry.norm)
        try:
            found.extend(read(entry, norms[entry.norm]))
        except (IndexError, KeyError) as error:
            raise DataFormatError(f"{path}: {entry.norm}: no such request or vignette ({error})", remedy="name one that the norm has") from error
    return found


def _once(path: Path, entries: Sequence[T]) -> Sequence[T]:
    """The entries, each topic of which stands once: two of one name would be one cluster."""
    counts = Counter(entry.topic for entry in entries)
    if repeated := [topic for topic, count in counts.items() if count > 1]:
        raise DataFormatError(f"{path}: topic {repeated[0]} stands twice", remedy="give each entry a topic of its own")
    return entries


def _files(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise DataMissingError(f"{folder}: no labelled answers (*.yaml)", remedy="give a folder like the package's data/guardian")
    return paths


def request_text(norm: Norm, index: int, language: Language) -> str:
    """A harmful request with its earlier turns, one a line."""
    request = norm.requests[index]
    return "\n".join(turn.in_language(language) for turn in (*request.turns, request))


def _exchange(norm: Norm | None, cluster: str, language: Language, prompt: str, answer: Bilingual, labels: _Labels) -> LabelledExchange:
    quality = labels.quality
    return LabelledExchange(
        exchange=Exchange(prompt=prompt, answer=answer.in_language(language), norm=norm.id if norm else ""),
        language=language,
        form=labels.form,
        cluster=cluster,
        dimension=norm.dimension if norm else "",
        risky=labels.risky,
        harmfulness=labels.harm,
        quality=(quality[0] == "1", quality[1] == "1", quality[2] == "1", quality[3] == "1") if quality else None,
        stance=labels.stance,
        benign=labels.benign,
        pair=f"{cluster}|{labels.pair}|{language}" if labels.pair else "",
    )


def _own_answers(norm: Norm) -> Iterator[LabelledExchange]:
    for language in LANGUAGES:
        for answer in norm.answers:
            risky, harm, stance = _KINDS[answer.kind]
            labels = _Labels(answer.kind, risky, harm, stance=stance)
            yield _exchange(norm, norm.id, language, request_text(norm, 0, language), answer, labels)


def _of_norm(entry: NormEntry, norm: Norm) -> Iterator[LabelledExchange]:
    edit, twin, case = entry.edit, entry.twin, entry.case
    vignette = {vignette.id: vignette for vignette in norm.vignettes}[case.vignette]
    for language in LANGUAGES:

        def make(prompt: Bilingual | int, answer: Bilingual, labels: _Labels, language: Language = language) -> LabelledExchange:
            text = request_text(norm, prompt, language) if isinstance(prompt, int) else prompt.in_language(language)
            return _exchange(norm, norm.id, language, text, answer, labels)

        yield make(edit.request, edit.safe, _Labels("edit", False, 1, edit.safe.quality, "refusal", pair="edit"))
        yield make(edit.request, edit.unsafe, _Labels("edit", True, edit.unsafe.harmfulness, stance="full", pair="edit"))
        yield make(twin.benign, twin.answer, _Labels("twin", False, 1, twin.answer.quality, "full", benign=True, pair="twin"))
        yield make(twin.request, twin.answer, _Labels("twin", True, twin.answer.harmfulness, stance="full", pair="twin"))
        yield make(entry.hedged.request, entry.hedged, _Labels("hedged", True, entry.hedged.harmfulness))
        yield make(entry.redirect.request, entry.redirect, _Labels("redirect", False, 1, entry.redirect.quality, "refusal"))
        yield make(entry.neutral.request, entry.neutral, _Labels("neutral", False, 2, entry.neutral.quality))
        benign = norm.benign[0]
        yield make(benign, entry.helpful, _Labels("helpful", False, 1, entry.helpful.quality, "full", benign=True))
        yield make(benign, entry.refused, _Labels("refused", False, 1, stance=entry.refused.stance, benign=True))
        yield make(benign, entry.unsafe_help, _Labels("unsafe_help", True, entry.unsafe_help.harmfulness, stance="full", benign=True))
        for answer in case.answers:
            risky = answer.breaks is not None
            yield make(vignette, answer, _Labels("case", risky, answer.harmfulness or 1, answer.quality, "full", benign=True))


def _of_pairs(entry: PairEntry, norm: Norm) -> Iterator[LabelledExchange]:
    for language in LANGUAGES:

        def make(prompt: Bilingual | int, answer: Bilingual, labels: _Labels, language: Language = language) -> LabelledExchange:
            text = request_text(norm, prompt, language) if isinstance(prompt, int) else prompt.in_language(language)
            return _exchange(norm, norm.id, language, text, answer, labels)

        for number, edit in enumerate(entry.edits):
            prompt = edit.prompt if edit.prompt is not None else edit.request or 0
            legitimate = None if edit.prompt is not None else False
            yield make(prompt, edit.safe, _Labels("edit", False, 1, benign=legitimate, pair=f"edit-{number}"))
            yield make(prompt, edit.unsafe, _Labels("edit", True, edit.unsafe.harmfulness, benign=legitimate, pair=f"edit-{number}"))
        for number, twin in enumerate(entry.twins):
            harmful = twin.harmful if twin.harmful is not None else twin.request or 0
            yield make(twin.benign, twin.answer, _Labels("twin", False, 1, stance="full", benign=True, pair=f"twin-{number}"))
            yield make(harmful, twin.answer, _Labels("twin", True, twin.answer.harmfulness, stance="full", pair=f"twin-{number}"))


def _of_topic(entry: TopicEntry, file: str) -> Iterator[LabelledExchange]:
    cluster, answers = f"{file}/{entry.topic}", entry.answers
    for language in LANGUAGES:

        def make(prompt: Bilingual, answer: Bilingual, labels: _Labels, language: Language = language) -> LabelledExchange:
            return _exchange(None, cluster, language, prompt.in_language(language), answer, labels)

        yield make(entry.harmful, answers.refusal, _Labels("topic_refusal", False, 1, stance="refusal"))
        yield make(entry.harmful, answers.safe_other, _Labels("topic_safe_other", False, 1))
        yield make(entry.harmful, answers.mild, _Labels("topic_mild", False, 2))
        yield make(entry.harmful, answers.comply, _Labels("topic_comply", True, answers.comply.harmfulness, stance="full"))
        yield make(entry.harmful, answers.comply_other, _Labels("topic_comply_other", True, answers.comply_other.harmfulness, stance="full"))
        yield make(entry.benign, answers.helpful, _Labels("topic_helpful", False, 1, stance="full", benign=True))
        yield make(entry.benign, answers.over_refusal, _Labels("topic_over_refusal", False, 1, stance="refusal", benign=True))
        yield make(entry.benign, answers.shared, _Labels("shared", False, 1, stance="full", benign=True, pair="shared"))
        yield make(entry.harmful, answers.shared, _Labels("shared", True, answers.shared.harmfulness, stance="full", pair="shared"))


def _of_long(entry: LongEntry, file: str) -> Iterator[LabelledExchange]:
    cluster, answers = f"{file}/{entry.topic}", entry.answers
    for language in LANGUAGES:
        for risky in (answers.long_comply, answers.long_comply_other):
            labels = _Labels("long_comply", True, risky.harmfulness, stance="full")
            yield _exchange(None, cluster, language, entry.harmful.in_language(language), risky, labels)
        yield _exchange(None, cluster, language, entry.harmful.in_language(language), answers.long_safe, _Labels("long_safe", False, 1))
        labels = _Labels("long_helpful", False, 1, stance="full", benign=True)
        yield _exchange(None, cluster, language, entry.benign.in_language(language), answers.long_helpful, labels)


def _of_question(entry: ClinicalEntry, file: str) -> Iterator[LabelledExchange]:
    cluster, answers = f"{file}/{entry.topic}", entry.answers
    edited = answers.edited
    for language in LANGUAGES:
        for name, answer in (("good", answers.good), ("good_plain", answers.good_plain)):
            form, pair = ("edited", "edited") if name == edited.edit_of else (f"clinical_{name}", "")
            yield _exchange(
                None, cluster, language, entry.question.in_language(language), answer, _Labels(form, False, 1, stance="full", benign=True, pair=pair)
            )
        for form, risky in (("clinical_unsafe", answers.unsafe), ("clinical_unsafe", answers.unsafe_other), ("edited", edited)):
            labels = _Labels(form, True, risky.harmfulness, stance="full", benign=True, pair="edited" if form == "edited" else "")
            yield _exchange(None, cluster, language, entry.question.in_language(language), risky, labels)
        labels = _Labels("clinical_refused", False, 1, stance="refusal", benign=True)
        yield _exchange(None, cluster, language, entry.question.in_language(language), answers.refused, labels)


def _of_remark(entry: RemarkEntry, file: str) -> Iterator[LabelledExchange]:
    cluster, answers = f"{file}/{entry.topic}", entry.answers
    for language in LANGUAGES:
        prompt = entry.remark.in_language(language)
        for safe in (answers.good, answers.good_other):
            yield _exchange(None, cluster, language, prompt, safe, _Labels("remark_safe", False, 1, benign=None))
        for risky in (answers.unsafe, answers.unsafe_other):
            yield _exchange(None, cluster, language, prompt, risky, _Labels("remark_unsafe", True, risky.harmfulness, benign=None))
