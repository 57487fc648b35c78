"""Primum's own bank as five tasks. Nothing from outside is needed.

Every item traces to an article of a law, regulation, code or guideline; items exist in Chinese and in English under the same id. Licence of the
bank: CC BY 4.0. Its review status is "unreviewed" until physicians have rated it: no figure from it claims a physician's review.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from primum.bank.build import build_items
from primum.errors import UsageError
from primum.norms.library import packaged_folder
from primum.schema.base import Bilingual, Language
from primum.schema.card import MetricCard, TaskCard
from primum.schema.item import Item, Message
from primum.tasks.metric_cards import ACCURACY, GUARDIAN_HARMFULNESS, GUARDIAN_OVER_REFUSAL, GUARDIAN_RISK, REFUSAL
from primum.tasks.primum_bank.parts import Part, check_part, packaged_context, part_of
from primum.tasks.prompts import question_prompt

_PART_TITLES: dict[Part, Bilingual] = {
    "train": Bilingual(zh="训练规范", en="training norms"),
    "validation": Bilingual(zh="验证规范", en="validation norms"),
    "seen-norm": Bilingual(zh="已见规范的新情境", en="new vignettes of seen norms"),
    "test": Bilingual(zh="未见规范", en="unseen norms"),
}


@cache
def _built(task: str, language: Language) -> tuple[Item, ...]:
    # An audit goes through its items several times: to draw, to ask, to write down.
    return tuple(build_items(packaged_context(), language, tasks=(task,)))


class BankTask:
    """One task of the bank.

    Args:
        card: What the task says of itself.
        part: Only the items of this part; None takes all.
    """

    def __init__(self, card: TaskCard, part: Part | None = None) -> None:
        self.card = card
        self._part = part

    def part(self, name: str) -> BankTask:
        """The same task on one part of the bank: ``train``, ``validation``, ``seen-norm`` or ``test``; the card keeps its name.

        Raises:
            UnknownNameError: There is no such part; names the nearest.
        """
        chosen = check_part(self.card.name, name)
        title, suffix = self.card.title, _PART_TITLES[chosen]
        size = sum(part_of(item) == chosen for item in _built(self.card.name, self.card.languages[0]))
        card = self.card.model_copy(update={"title": Bilingual(zh=f"{title.zh}：{suffix.zh}", en=f"{title.en}: {suffix.en}"), "size": size})
        return BankTask(card, chosen)

    def sources(self, data: Path | None, language: Language) -> Sequence[Path]:
        """The norm files of the package."""
        return sorted(packaged_folder().glob("*.yaml"))

    def items(self, data: Path | None, language: Language) -> Iterator[Item]:
        """Yield the items, form by form, in the order of sources and articles."""
        yield from (item for item in _built(self.card.name, language) if self._part is None or part_of(item) == self._part)

    def prompt(self, item: Item, shots: Sequence[Item] = ()) -> tuple[Message, ...]:
        """Question, options and how to answer; requests are put verbatim."""
        return question_prompt(item, shots)

    def shots(self, data: Path | None, language: Language, count: int) -> Sequence[Item]:
        """The bank keeps no examples apart.

        Raises:
            UsageError: ``count`` is not 0.
        """
        if count:
            raise UsageError(f"task {self.card.name} has no worked examples", remedy="run it with --shots 0")
        return ()


_CITATION = "Primum bank. Norms of current health law, codes and guidelines in our own words; method after arXiv 2505.07205 and arXiv 2601.07954."


def _task(name: str, zh: str, en: str, *, size: int, groups: tuple[str, ...], metrics: tuple[MetricCard, ...]) -> BankTask:
    return BankTask(
        TaskCard(
            name=name,
            title=Bilingual(zh=zh, en=en),
            languages=("zh", "en"),
            size=size,
            citation=_CITATION,
            url="docs/bank.md",
            licence="CC BY 4.0",
            groups=groups,
            metrics=metrics,
        )
    )


CHOICE = _task(
    "primum-choice",
    "医学伦理与安全情境选择题（自建）",
    "Ethics and safety vignettes, choice (own bank)",
    size=1823,
    groups=("dimension", "form", "scene", "severity", "jurisdiction", "split", "difficulty"),
    metrics=(ACCURACY,),
)
JUDGEMENT = _task(
    "primum-judgement",
    "规则与例外判断题（自建）",
    "Rules and exceptions, judgement (own bank)",
    size=1045,
    groups=("dimension", "verdict", "scene", "jurisdiction", "split"),
    metrics=(ACCURACY,),
)
DILEMMA = _task("primum-dilemma", "均衡困境（自建）", "Equilibrium dilemmas (own bank)", size=33, groups=("dimension", "scene"), metrics=(ACCURACY,))
REQUESTS = _task(
    "primum-requests",
    "有害请求（自建）",
    "Harmful requests (own bank)",
    size=960,
    groups=("dimension", "style", "principle", "scene", "severity", "split"),
    metrics=(GUARDIAN_RISK, GUARDIAN_HARMFULNESS, REFUSAL),
)
BENIGN = _task(
    "primum-benign",
    "良性相似请求（自建）",
    "Benign look-alikes (own bank)",
    size=320,
    groups=("dimension", "scene"),
    metrics=(GUARDIAN_OVER_REFUSAL, GUARDIAN_RISK),
)
