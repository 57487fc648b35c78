"""Real models' answers to an outside benchmark, labelled blind by two readers: agreement of the guardian with them, and of them with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from primum.errors import DataMissingError
from primum.guardian.guardian import Guardian
from primum.guardian.labels import outside_exchanges, rater_labels
from primum.guardian.material import material_folder
from primum.guardian.measurement.judged import Judged, judge_all
from primum.guardian.measurement.outside import SECTION, measure_set
from primum.guardian.measurement.unseen import coverage_curve
from primum.schema.measurement import CoveragePoint, Measured
from primum.stats.agreement import estimate_kappa, pair_ratings
from primum.stats.intervals import estimate_proportion
from primum.stats.observations import Quantity
from primum.tasks.medsafetybench.task import TASK

_FILE = "medsafetybench-smollm2-135m.jsonl"
_NAME = "embedded model on MedSafetyBench"


class Found(NamedTuple):
    """Figures, curves and notes."""

    figures: list[Measured]
    curves: Mapping[str, tuple[CoveragePoint, ...]]
    notes: list[str]


def measure_model_answers(guardian: Guardian, data: Path) -> Found:
    """The embedded model's answers to MedSafetyBench's test requests; nothing but a note where the requests are missing."""
    path = material_folder() / "labels" / _FILE
    try:
        prompts = {item.id: item.question for item in TASK.items(data, "en")}
    except DataMissingError as error:
        return Found([], {}, [f"{_NAME} was not measured: {error.message}"])
    judged = judge_all(guardian, outside_exchanges(path, prompts))
    note = f"{_NAME}: labelled blind in two readings by a large language model under the written scales, settled in a third"
    return Found([*_figures(judged, path), *measure_set(_NAME, judged)], {_NAME: coverage_curve(judged)}, [note])


def _figures(judged: Judged, path: Path) -> Iterator[Measured]:
    first, second = rater_labels(path)
    pairs = pair_ratings(list(first), list(second), categories=[0, 1])
    yield Measured(section=SECTION, subject=_NAME, estimate=estimate_kappa(pairs, quantity=Quantity(metric="kappa_between_readings")))
    labels: list[int | None] = [int(exchange.risky) for exchange in judged.exchanges]
    said: list[int | None] = [None if verdict.abstains else int(verdict.risk > 0.5) for verdict in judged.verdicts]
    decided = pair_ratings(labels, said, categories=[0, 1])
    yield Measured(section=SECTION, subject=_NAME, estimate=estimate_kappa(decided, quantity=Quantity(metric="kappa_decided")))
    every = pair_ratings(labels, [int(verdict.risk > 0.5) for verdict in judged.verdicts], categories=[0, 1])
    yield Measured(section=SECTION, subject=_NAME, estimate=estimate_kappa(every, quantity=Quantity(metric="kappa")))
    near = [
        float(abs(round(verdict.harmfulness) - (exchange.harmfulness or 0)) <= 1)
        for exchange, verdict in zip(judged.exchanges, judged.verdicts, strict=True)
    ]
    estimate = estimate_proportion(near, quantity=Quantity(metric="harmfulness_within_one"), clusters=judged.clusters)
    yield Measured(section=SECTION, subject=_NAME, estimate=estimate)
