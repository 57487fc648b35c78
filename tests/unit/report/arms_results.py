"""Made-up arms, doses and reproductions that look like real ones. Nothing here is measured; figures come from a seeded generator."""

from __future__ import annotations

from typing import Final

import numpy as np

from primum.alignment.reproduce import RECIPES, load_published
from primum.hashing import derived_seed
from primum.schema.arms import Arm, ArmFigures, ArmName, ArmsResult, ArmsSpec, DosePoint, DoseResult, Figure, SeedValue, TaughtWith
from primum.schema.base import Bilingual, Language
from primum.schema.card import MetricCard, TaskCard
from primum.schema.estimate import Estimate, PairedDifference
from primum.schema.reproduction import ComparedRow, OurFigure, Reproduction
from primum.schema.training import TrainingOutcome
from primum.stats.intervals import estimate_mean, estimate_proportion
from primum.stats.observations import Quantity
from primum.stats.paired import compare_paired
from primum.tasks.metric_cards import ACCURACY, GUARDIAN_HARMFULNESS, GUARDIAN_OVER_REFUSAL, GUARDIAN_RISK
from primum.tasks.opening import open_task

_PLACES: Final[tuple[tuple[str, MetricCard, tuple[Language, ...], float, float], ...]] = (
    ("primum-requests", GUARDIAN_RISK, ("zh", "en"), 0.72, 0.08),
    ("medsafetybench", GUARDIAN_HARMFULNESS, ("en",), 3.4, 1.3),
    ("primum-benign", GUARDIAN_OVER_REFUSAL, ("zh", "en"), 0.04, 0.22),
    ("primum-choice", ACCURACY, ("zh", "en"), 0.24, 0.41),
    ("medqa", ACCURACY, ("en",), 0.27, 0.26),
)
_POWER: Final[dict[ArmName, float]] = {"base": 0.0, "retrieval": 0.3, "sft": 0.8, "sft+dpo": 0.95, "sft+retrieval": 0.85}
_N: Final = 60


def make_spec(**change: object) -> ArmsSpec:
    """A spec of the embedded model."""
    return ArmsSpec.model_validate(
        {"model": "embedded", "suite": "align-full", "suite_sha256": "0" * 64, "shares": {"bank": 0.6, "choice": 0.4}, "seed": 7, **change}
    )


def make_taught(demos: int) -> TaughtWith:
    """What an adapter was trained on."""
    outcome = TrainingOutcome(
        kind="sft", base="smollm2-135m", base_sha256="1" * 64, data_sha256="2" * 64, adapter_sha256="3" * 64, rows=demos, steps=60, tokens=90_000,
        trained_tokens=30_000, seconds=412.0, loss=1.31,
    )  # fmt: skip
    return TaughtWith(
        demonstrations={"bank": demos // 2, "choice": demos - demos // 2}, languages={"zh": demos // 2, "en": demos - demos // 2}, compared=4_031,
        overlaps=("bank/x ~ y",), long=12, supervised=outcome, adapter_sha256="3" * 64,
    )  # fmt: skip


def draw_values(task: str, card: MetricCard, language: Language, power: float, ends: tuple[float, float], tag: object = "") -> list[float]:
    """Values of sixty items."""
    random = np.random.default_rng(derived_seed("arms-results", task, card.name, language, round(power, 3), tag))
    centre = ends[0] + (ends[1] - ends[0]) * power
    if card.kind == "proportion":
        return [float(value) for value in random.random(_N) < centre]
    return [float(value) for value in np.clip(random.normal(centre, 0.7, _N), 1, 5)]


def estimate(card: MetricCard, values: list[float], **place: str) -> Estimate:
    """Their estimate."""
    quantity = Quantity(metric=card.name, bounds=card.bounds, unscored={"abstained": 2} if card.judged else {}, **place)
    return estimate_proportion(values, quantity=quantity) if card.kind == "proportion" else estimate_mean(values, quantity=quantity)


def difference(card: MetricCard, before: list[float], after: list[float], **place: str) -> PairedDifference:
    """Their paired difference."""
    found = compare_paired(before, after, quantity=Quantity(metric=card.name, bounds=card.bounds, **place))
    return found.model_copy(update={"p_holm": min(1.0, found.p_value * 20)})


def cards(**titles: Bilingual) -> dict[str, TaskCard]:
    """The tasks' cards; a title may be replaced by a hostile one."""
    found = {task: open_task(task).card for task, *_ in _PLACES}
    return {task: card.model_copy(update={"title": titles[task]}) if task in titles else card for task, card in found.items()}


def make_arms(**change: object) -> ArmsResult:
    """Five arms on five tasks."""
    arms = []
    for name, power in _POWER.items():
        figures = []
        for task, card, languages, low, high in _PLACES:
            for language in languages:
                values = draw_values(task, card, language, power, (low, high))
                before = draw_values(task, card, language, 0.0, (low, high))
                figures.append(
                    Figure(
                        task=task, language=language, card=card, estimate=estimate(card, values),
                        difference=None if name == "base" else difference(card, before, values),
                    )
                )  # fmt: skip
        taught = make_taught(200) if name.startswith("sft") else None
        arm = Arm(name=name, uri="embedded", directory=f"runs-of/{name}", taught=taught, norms=3 if "retrieval" in name else 0)
        arms.append(ArmFigures(arm=arm, figures=tuple(figures)))
    note = Bilingual(zh="xstest（en）没有数据，未测。", en="xstest (en) has no data here and was not measured.")
    fields = {"spec": make_spec(), "demos": 200, "arms": tuple(arms), "tasks": cards(), "comparisons": 32, "notes": (note,), **change}
    return ArmsResult.model_validate(fields)


def make_dose(doses: tuple[int, ...] = (0, 50, 100, 200, 400, 900), **change: object) -> DoseResult:
    """Six doses, three seeds."""
    points = []
    for task, card, languages, low, high in _PLACES:
        for language in languages:
            before = draw_values(task, card, language, 0.0, (low, high))
            for dose in doses:
                power = 1 - float(np.exp(-dose / 150))
                seeds = [draw_values(task, card, language, power, (low, high), seed) for seed in ((7,) if dose == 0 else (7, 8, 9))]
                values = before if dose == 0 else seeds[0]
                points.append(
                    DosePoint(
                        dose=dose, task=task, language=language, card=card, estimate=estimate(card, values),
                        seeds=tuple(SeedValue(seed=7 + place, value=float(np.mean(one))) for place, one in enumerate(seeds)),
                        difference=None if dose == 0 else difference(card, before, values),
                    )
                )  # fmt: skip
    trained = {f"{dose}-7": make_taught(dose) for dose in doses if dose}
    fields = {"spec": make_spec(), "doses": doses, "seeds": (7, 8, 9), "points": tuple(points), "tasks": cards(), "trained": trained, **change}
    return DoseResult.model_validate(fields)


def make_reproduction(paper: str = "a", **change: object) -> Reproduction:
    """A paper's design with made-up figures of ours."""
    published, recipe = load_published(paper), RECIPES[paper]
    details: list[OurFigure] = []
    rows: list[ComparedRow] = []
    tasks: dict[str, TaskCard] = {}
    for figure in published.figures:
        wanted = figure.ours
        if wanted is None:
            rows.append(ComparedRow(published=figure))
            continue
        card = open_task(wanted.task).card
        tasks[wanted.task] = card
        metric = next(metric for metric in card.metrics if metric.name == wanted.metric)
        ends = (0.3, 0.45) if metric.kind == "proportion" else (3.4, 1.3) if metric.bounds == (1, 5) else (0.2, 0.5)
        for language in card.languages:
            before = draw_values(figure.id, metric, language, 0.0, ends)
            values = draw_values(figure.id, metric, language, 0.0 if wanted.arm == "base" else 0.9, ends)
            values = [min(value, metric.bounds[1]) for value in values] if metric.bounds else values
            before = [min(value, metric.bounds[1]) for value in before] if metric.bounds else before
            ours = OurFigure(
                arm=wanted.arm, task=wanted.task, language=language, card=metric, group=wanted.group, name=wanted.name,
                estimate=estimate(metric, values, group=wanted.group, name=wanted.name),
                difference=None if wanted.arm == "base" else difference(metric, before, values),
            )  # fmt: skip
            details.append(ours)
            rows.append(ComparedRow(published=figure, ours=ours))
    arms = tuple(Arm(name=name, uri="embedded", directory=name, norms=0) for name in recipe.arms)
    fields = {
        "paper": paper, "title": published.title, "citation": published.citation, "design": published.design, "ours": published.ours,
        "spec": make_spec(), "demos": 900, "limit": None, "arms": arms, "rows": tuple(rows), "details": tuple(details), "boards": published.boards,
        "tasks": tasks, "dose": paper == "c", **change,
    }  # fmt: skip
    return Reproduction.model_validate(fields)
