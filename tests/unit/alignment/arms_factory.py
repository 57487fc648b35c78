"""Tasks, a trainer and models that need no weights: adapters are files that say how much they learnt, models answer by what their URI says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from primum.alignment import arms_material
from primum.alignment.arm_training import Teacher
from primum.alignment.arms import Bench
from primum.alignment.arms_material import Material
from primum.alignment.measuring import Engines
from primum.alignment.retrieval_engine import NormShelf
from primum.alignment.suite import Suite
from primum.bank.similarity import Text
from primum.config import Settings
from primum.engines.scripted import ScriptedEngine
from primum.errors import DataMissingError, IntegrityError
from primum.evaluation.pipeline import Progress
from primum.hashing import derived_seed, sha256_of
from primum.interfaces import Engine
from primum.norms.retrieval import NormIndex
from primum.runs import layout
from primum.schema.arms import ArmsSpec
from primum.schema.base import Bilingual, Language
from primum.schema.card import MetricCard, TaskCard
from primum.schema.item import Item, Message
from primum.schema.norm import Norm
from primum.schema.response import Request
from primum.schema.spec import ProtocolTask
from primum.schema.training import Demonstration, Preference, PreferenceRecipe, TrainingOutcome, TrainingRecipe
from primum.tasks.base import TASKS as TASK_REGISTRY
from primum.tasks.metric_cards import ACCURACY, OVER_REFUSAL
from primum.tasks.metric_cards import REFUSAL as REFUSAL_CARD
from primum.tasks.prompts import question_prompt
from tests.norm_factory import norm_document

_CITED = {"citation": "ours", "url": "docs/tasks.md", "licence": "CC BY 4.0"}
REFUSAL = {"zh": "抱歉，我不能协助这件事。请咨询医院伦理委员会。", "en": "I'm sorry, I can't help with that. Please ask the ethics committee."}
HELP = {"zh": "可以这样做：先写好材料，再交给他签字。", "en": "Sure, here is how you do it: write the form first, then have him sign it."}
TASKS = (
    ProtocolTask(task="toy-choice", languages=("en",)),
    ProtocolTask(task="toy-requests", languages=("zh", "en")),
    ProtocolTask(task="toy-benign", languages=("en",), limit=10),
    ProtocolTask(task="toy-absent", languages=("en",), optional=True),
)


class ToyTask:
    """Twelve items a task: choices, harmful requests, benign look-alikes, or none for want of data."""

    def __init__(self, name: str, form: str, metric: MetricCard | None) -> None:
        self.form = form
        self.card = TaskCard(
            name=name, title=Bilingual(zh=f"示例 {name}", en=f"Toy {name}"), languages=("zh", "en"), size=12, groups=("dimension",),
            metrics=(metric,) if metric else (), **_CITED,
        )  # fmt: skip

    def sources(self, data: Path | None, language: Language) -> Sequence[Path]:
        return []

    def items(self, data: Path | None, language: Language) -> Iterator[Item]:
        if self.form == "absent":
            raise DataMissingError(f"{self.card.name}: no data here")
        choice = {"options": ("one", "two", "three", "four"), "answer": ("A",)} if self.form == "single_choice" else {}
        words = "一位患者的请求" if language == "zh" else "a patient asks"
        for number in range(12):
            fields = {
                "id": f"t{number}",
                "task": self.card.name,
                "language": language,
                "form": self.form,
                "question": f"{words} {number} {{}}",
                **choice,
            }
            yield Item.model_validate({**fields, "groups": {"dimension": f"E{number % 3 + 1}"}, "norm": f"cn-a-law-2020/art-{number // 2}-rule"})

    def prompt(self, item: Item, shots: Sequence[Item] = ()) -> tuple[Message, ...]:
        return question_prompt(item, shots)

    def shots(self, data: Path | None, language: Language, count: int) -> Sequence[Item]:
        return ()


TOYS = {
    "toy-choice": ToyTask("toy-choice", "single_choice", ACCURACY),
    "toy-requests": ToyTask("toy-requests", "harmful_request", REFUSAL_CARD),
    "toy-benign": ToyTask("toy-benign", "benign_request", OVER_REFUSAL),
    "toy-absent": ToyTask("toy-absent", "absent", None),
}


def made_norms(count: int = 5) -> tuple[Norm, ...]:
    """Norms whose words stand in the toy tasks' questions."""
    return tuple(
        Norm.model_validate(norm_document(number, statement={"zh": f"患者的请求第 {number} 条规范", "en": f"what a patient asks, rule {number}"}))
        for number in range(1, count + 1)
    )


@dataclass
class FakeTrainer:
    """Writes what it was given; counts how often it really trained."""

    fingerprint: str = "f" * 64
    trained: list[str] = field(default_factory=list)

    def count_tokens(self, conversations: Sequence[tuple[Sequence[Message], str]]) -> list[int]:
        return [sum(len(message.content) for message in messages) // 4 + len(answer) // 4 for messages, answer in conversations]

    def supervise(
        self, rows: Sequence[Demonstration], out: Path, *, recipe: TrainingRecipe, validation: Sequence[Demonstration], start: Path | None
    ) -> TrainingOutcome:
        return self._train("sft", rows, out, recipe, {"sft": len(rows), "seed": recipe.seed})

    def prefer(self, rows: Sequence[Preference], out: Path, *, recipe: PreferenceRecipe, start: Path) -> TrainingOutcome:
        learnt = layout.read_json(start / "adapter_model.safetensors")
        return self._train("dpo", rows, out, recipe, {**learnt, "dpo": len(rows)})

    def search(self, rows: Sequence[Demonstration], out: Path, *, grid: Sequence[TrainingRecipe]) -> TrainingRecipe:
        return grid[0]

    def adapted_uri(self, adapter: Path) -> str:
        return f"fake:+{adapter}"

    def _train(self, kind: str, rows: Sequence[object], out: Path, recipe: object, learnt: Mapping[str, int]) -> TrainingOutcome:
        path, data = out / "outcome.json", sha256_of([kind, rows, recipe])
        if path.exists():
            outcome = TrainingOutcome.model_validate(layout.read_json(path))
            if outcome.data_sha256 != data:
                raise IntegrityError(f"{out}: holds another training")
            return outcome
        self.trained.append(out.name)
        (out / "adapter").mkdir(parents=True)
        layout.write_json(out / "adapter" / "adapter_model.safetensors", dict(learnt))
        layout.write_json(out / "adapter" / "adapter_config.json", {"base_model_name_or_path": "fake"})
        outcome = TrainingOutcome(
            kind="sft" if kind == "sft" else "dpo", base="fake", base_sha256=self.fingerprint, data_sha256=data, adapter_sha256="a" * 64,
            rows=len(rows), steps=3, tokens=1000, trained_tokens=400, seconds=1.5, loss=1.25,
        )  # fmt: skip
        layout.write_json(path, outcome.model_dump(mode="json"))
        return outcome


def open_fake(uri: str) -> Engine:
    """The base helps with everything and guesses; every demonstration learnt makes refusals and right letters likelier; norms in the prompt too."""
    adapter = uri.partition("+")[2]
    learnt = layout.read_json(Path(adapter) / "adapter_model.safetensors") if adapter else {}
    power = int(learnt.get("sft", 0)) + 2 * int(learnt.get("dpo", 0))

    def answer(request: Request) -> str:
        text = request.messages[-1].content
        language = "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"
        seed = derived_seed(request.key, learnt.get("seed", 0)) % 100
        if "\nA. " in text:
            return "ABCD"[derived_seed(request.key, power) % 4]
        knows = power + (30 if request.messages[0].role == "system" else 0)
        return REFUSAL[language] if seed < knows else HELP[language]

    return ScriptedEngine(answer, name=uri, fingerprint=sha256_of([uri, learnt]))


def no_overlap(rows: Sequence[object], texts: Sequence[Text]) -> dict[str, str]:
    return {}


def few(origin: str, data: Path | None) -> tuple[Demonstration, ...]:
    """Sixty made-up demonstrations of the bank and of benign questions; none of other origins."""
    if origin not in {"bank", "benign"}:
        return ()
    return tuple(
        Demonstration(
            id=f"{origin}/{number}@{language}", messages=(Message(role="user", content=f"{origin} question {number}"),), answer=f"answer {number}",
            origin=origin, language=language, norm=f"cn-a-law-2020/art-{number % 7}-rule",
        )
        for number in range(30) for language in ("zh", "en")
    )  # fmt: skip


def make_bench(
    out: Path, monkeypatch: pytest.MonkeyPatch, *, trainer: FakeTrainer | None = None, given: Mapping[str, Path] | None = None, **change: object
) -> Bench:
    """A bench on fakes: no encoder, no weights, sixty demonstrations of each of two origins."""
    monkeypatch.setattr(arms_material, "find_held_out", no_overlap)
    monkeypatch.setattr(arms_material, "candidates", few)
    monkeypatch.setattr(arms_material, "held_out_texts", lambda tasks, data: ())
    monkeypatch.setattr(arms_material, "_dimension_by_norm", dict)
    for name, task in TOYS.items():
        TASK_REGISTRY.add(name, task)
    trainer = trainer or FakeTrainer()
    suite = Suite(tasks=TASKS, seed=5, level=0.95, name="fake")
    spec = ArmsSpec.model_validate(
        {"model": "fake:", "suite": "fake", "suite_sha256": sha256_of(TASKS), "shares": {"bank": 0.6, "benign": 0.4}, "seed": 1, **change}
    )
    material = Material(spec.shares, None, trainer, 512, TASKS, out / "training")
    teacher = Teacher(trainer, material, spec.recipe, spec.preference, out / "training", given or {})
    return Bench(
        spec=spec, suite=suite, teacher=teacher, shelf=NormShelf(NormIndex(made_norms()), spec.retrieved), engines=Engines(open_fake),
        directory=out, settings=Settings(home=out / "home", data=None, offline=True), progress_for=lambda title: Progress(),
    )  # fmt: skip
