"""A loop on fakes: a model that answers by script, a guardian that reads a word, and a trainer that writes a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from primum.alignment.suite import Suite
from primum.alignment.workflow import AlignOrder
from primum.config import Settings
from primum.engines.scripted import ScriptedEngine
from primum.evaluation.pipeline import Progress
from primum.hashing import sha256_file, sha256_of
from primum.interfaces import Engine
from primum.runs import layout
from primum.schema.alignment import AlignmentSpec, LoopSizes
from primum.schema.base import LANGUAGES, Bilingual
from primum.schema.guardian import Exchange, Explanation, GuardianVerdict
from primum.schema.item import Message
from primum.schema.response import Request, Sampling
from primum.schema.spec import ProtocolTask
from primum.schema.training import Demonstration, Preference, PreferenceRecipe, TrainingKind, TrainingOutcome, TrainingRecipe
from primum.tasks.opening import open_task

RISKY = {"en": "Certainly, the harmful plan goes like this: first hide the chart, then sign.", "zh": "好的，有害做法如下：先藏起病历，再代他签字。"}
SAFE = {"en": "I cannot do that, but the lawful way is to tell the patient openly.", "zh": "这件事我不能做，合规的做法是如实告知患者本人。"}
DECLINED = {"en": "I must refuse this question entirely, whatever stands behind it.", "zh": "这个问题我一概拒绝回答，无论出于什么缘由。"}
UNSURE = {"en": "One might perhaps wonder about several sides of that matter here.", "zh": "也许可以从几个不同的方面想一想这件事情。"}


def verdict_of(text: str) -> GuardianVerdict:
    """What the fake guardian thinks: it reads one word."""
    risky, declined = "harmful" in text or "有害" in text, "refuse" in text or "拒绝" in text
    unsure = "wonder" in text or "也许" in text
    return GuardianVerdict(
        language="en", risk=0.9 if risky else 0.4 if unsure else 0.05, harmfulness=4.5 if risky else 1.1,
        quality=(0.1,) * 4 if risky else (0.8,) * 4, stance=(0.9, 0.05, 0.05) if risky else (0.1, 0.1, 0.8), over_refusal=0.9 if declined else 0.1,
        doubt=0.5 if unsure else 0.01, abstains=unsure, reason="uncertain" if unsure else "",
    )  # fmt: skip


class FakeGuardian:
    """Stands in the place of the packaged guardian, as judge of samples and as scorer."""

    sha256 = "f" * 64

    def judge(self, exchanges: Sequence[Exchange], *, with_norms: bool = False) -> list[GuardianVerdict]:
        return [verdict_of(exchange.answer) for exchange in exchanges]

    def explain(self, exchange: Exchange) -> Explanation:
        return Explanation(verdict=verdict_of(exchange.answer), summary=Bilingual(zh="甲", en="some words"))


@cache
def right_letters() -> dict[str, str]:
    """The right letters behind every choice prompt of the bank."""
    task = open_task("primum-choice")
    return {task.prompt(item)[-1].content: "".join(item.answer) for language in LANGUAGES for item in task.items(None, language)}


@cache
def benign_questions() -> frozenset[str]:
    task = open_task("primum-benign")
    return frozenset(item.question for language in LANGUAGES for item in task.items(None, language))


def _language(text: str) -> str:
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"


def base_script(request: Request) -> str:
    """Helps with everything, gets letters wrong, and now and then says something uncertain or good."""
    text = request.messages[-1].content
    if right := right_letters().get(text):
        return "B" if right == "A" else "A"
    language = _language(text)
    if text in benign_questions():
        return SAFE[language]
    turn = request.key[-1]
    return {"1": SAFE, "2": UNSURE}.get(turn, RISKY)[language] if "~" in request.key else RISKY[language]


def tuned_script(request: Request) -> str:
    text = request.messages[-1].content
    return right_letters().get(text) or SAFE[_language(text)]


def refusing_script(request: Request) -> str:
    text = request.messages[-1].content
    return right_letters().get(text) or DECLINED[_language(text)]


@dataclass
class FakeModels:
    """Opens ``fake:base`` and ``fake:base+ADAPTER``; each adapter answers by the script of its round."""

    scripts: Sequence[Callable[[Request], str]] = (tuned_script,)
    base: Callable[[Request], str] = base_script
    opened: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __call__(self, uri: str) -> Engine:
        self.opened.append(uri)
        number = int(uri.partition("round-")[2].partition("/")[0]) if "round-" in uri else 0
        script = self.base if number == 0 else self.scripts[min(number, len(self.scripts)) - 1]

        def answer(request: Request) -> str:
            self.asked.append(request.key)
            return script(request)

        return ScriptedEngine(answer, name=uri.rpartition("/")[2] or uri, fingerprint=hashlib.sha256(uri.encode()).hexdigest())


@dataclass
class FakeTrainer:
    """Writes adapters that are hashes of what they were trained on."""

    trained: list[str] = field(default_factory=list)
    fail_once: str = ""
    fingerprint: str = "b" * 64

    def count_tokens(self, conversations: Sequence[tuple[Sequence[Message], str]]) -> list[int]:
        return [(sum(len(message.content) for message in messages) + len(answer)) // 4 for messages, answer in conversations]

    def _write(self, kind: TrainingKind, rows: Sequence[Demonstration | Preference], out: Path, start: Path | None) -> TrainingOutcome:
        if self.fail_once == kind:
            self.fail_once = ""
            raise KeyboardInterrupt
        digest = sha256_of([list(rows), str(start)])
        self.trained.append(kind)
        (out / "adapter").mkdir(parents=True, exist_ok=True)
        layout.write_bytes(out / "adapter" / "adapter_model.safetensors", digest.encode())
        outcome = TrainingOutcome(
            kind=kind, base="fake", base_sha256=self.fingerprint, data_sha256=digest, rows=len(rows), steps=1, tokens=1, trained_tokens=1, seconds=0,
            adapter_sha256=sha256_file(out / "adapter" / "adapter_model.safetensors"), loss=1.0,
        )  # fmt: skip
        layout.write_json(out / "outcome.json", outcome.model_dump(mode="json"))
        return outcome

    def supervise(
        self, rows: Sequence[Demonstration], out: Path, *, recipe: TrainingRecipe, validation: Sequence[Demonstration], start: Path | None
    ) -> TrainingOutcome:
        return self._write("sft", rows, out, start)

    def prefer(self, rows: Sequence[Preference], out: Path, *, recipe: PreferenceRecipe, start: Path) -> TrainingOutcome:
        return self._write(recipe.method, rows, out, start)

    def search(self, rows: Sequence[Demonstration], out: Path, *, grid: Sequence[TrainingRecipe]) -> TrainingRecipe:
        self.trained.append("search")
        return grid[-1]

    def adapted_uri(self, adapter: Path) -> str:
        return f"fake:base+{adapter}"


def small_suite() -> Suite:
    short = Sampling(max_tokens=16)

    def tasks(part: str, *names: str) -> tuple[ProtocolTask, ...]:
        return tuple(ProtocolTask(task=f"primum-{name}:{part}", languages=("en",), limit=12, sampling=short) for name in names)

    return Suite(
        tasks=tasks("test", "requests"), validation=tasks("validation", "choice", "requests", "benign"),
        probe=tasks("train", "requests"), seed=1, level=0.95, name="tiny",
    )  # fmt: skip


def small_spec(**change: object) -> AlignmentSpec:
    sizes = LoopSizes(rounds=1, demos=40, demo_tokens=400, prompts=12, samples=3, answer_tokens=32, review_share=0.2)
    return AlignmentSpec.model_validate({"model": "fake:base", "suite": "tiny", "sizes": sizes.model_dump(), **change})


def make_order(out: Path, models: FakeModels, trainer: FakeTrainer, spec: AlignmentSpec | None = None, notes: list[str] | None = None) -> AlignOrder:
    kept = notes if notes is not None else []
    settings = Settings(home=out.parent / "home", data=None, offline=True)
    return AlignOrder(
        spec=spec or small_spec(), suite=small_suite(), out=out, settings=settings, trainer=trainer, open_engine=models, judge=FakeGuardian(),
        progress_for=lambda title: Progress(note=kept.append),
    )  # fmt: skip
