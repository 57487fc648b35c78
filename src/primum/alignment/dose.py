"""Dose and response: how safety, over-refusal and ability move with the number of demonstrations (arXiv 2403.03744 asks it for 200 to 900).

The doses of one seed are nested: its 100 demonstrations contain its 50, so that a curve shows more of the same teaching and not other teaching.
Several seeds draw other demonstrations and train anew; an interval resamples norms over the answers of all seeds, and each seed's own
mean stands beside it, so that both kinds of chance are seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from primum.alignment.arm_scores import Series, compare_series, estimate_series
from primum.alignment.arms import Bench, Measured, missing_tasks
from primum.errors import UsageError
from primum.runs import layout
from primum.schema.arms import DosePoint, DoseResult, SeedValue, TaughtWith
from primum.schema.base import Language
from primum.stats.multiplicity import adjust_holm

RESULT: Final = "dose.json"
_Place = tuple[str, Language, str]


@dataclass(frozen=True)
class _Asked:
    """Everything measured at one dose, by seed; the base has one run for all."""

    dose: int
    by_seed: Mapping[int, Mapping[_Place, Series]]


def parse_doses(text: str) -> tuple[int, ...]:
    """``0,50,100`` as ascending numbers, 0 (the base) always among them.

    Raises:
        UsageError: A part is no number of 0 or more, or nothing is left but 0.
    """
    try:
        doses = {int(part) for part in text.split(",") if part.strip()}
    except ValueError:
        doses = {-1}
    if any(dose < 0 for dose in doses) or not doses - {0}:
        raise UsageError(f"--dose {text!r} is not a list of numbers of demonstrations", remedy="give one such as 0,50,100,200")
    return tuple(sorted({0, *doses}))


async def run_dose(bench: Bench, doses: Sequence[int], *, seeds: int = 1) -> DoseResult:
    """Train once for each dose and seed, evaluate each, and pair it with the base; writes ``dose.json``.

    Finished trainings and runs are read again; arms in the same folder share them.

    Args:
        bench: Model, suite, recipe and folders.
        doses: Numbers of demonstrations, 0 among them.
        seeds: How many draws and trainings of each dose.

    Raises:
        UsageError: The weights are not here, a dose is beyond the pool (says how many there are), or ``seeds`` is below 1.
        DataMissingError: There is nothing to teach, or data are missing.
        IntegrityError: The folder holds something else.
    """
    teacher = bench.teacher
    if teacher is None:
        raise UsageError("a dose needs a model whose weights are on this machine", remedy="give --model embedded or hf:...")
    if seeds < 1:
        raise UsageError(f"--seeds {seeds} is none", remedy="give 1 or more")
    chosen = tuple(range(bench.spec.seed, bench.spec.seed + seeds))
    bench.claim()
    # A dose that is not to be had should be known before hours of training, not after.
    teacher.material.check_ahead(max(doses), chosen)
    for seed in chosen:
        teacher.material.take(max(doses), seed=seed)
    base = await bench.measure(None, retrieve=False)
    asked = [_Asked(0, dict.fromkeys(chosen, _by_place(base)))]
    trained: dict[str, TaughtWith] = {}
    for dose in sorted(set(doses) - {0}):
        by_seed: dict[int, Mapping[_Place, Series]] = {}
        for seed in chosen:
            made = await teacher.trained("sft", dose, seed=seed, engines=bench.engines)
            trained[f"{dose}-{seed}"] = made.taught
            by_seed[seed] = _by_place(await bench.measure(made, retrieve=False))
        asked.append(_Asked(dose, by_seed))
    result = DoseResult(
        spec=bench.spec,
        doses=tuple(entry.dose for entry in asked),
        seeds=chosen,
        points=_points(bench, asked),
        tasks={run.spec.task: run.card for run in base.runs},
        trained=trained,
        notes=missing_tasks(bench.suite, base),
    )
    layout.write_json(bench.directory / RESULT, result.model_dump(mode="json"))
    return result


def _by_place(measured: Measured) -> dict[_Place, Series]:
    return {series.place: series for series in measured.series()}


def _points(bench: Bench, asked: Sequence[_Asked]) -> tuple[DosePoint, ...]:
    base = next(iter(asked[0].by_seed.values()))
    points = [_point(bench, entry, place, before) for place, before in base.items() for entry in asked if _series(entry, place)]
    tested = [place for place, point in enumerate(points) if point.difference is not None]
    adjusted = adjust_holm([difference for point in points if (difference := point.difference) is not None])
    for place, difference in zip(tested, adjusted, strict=True):
        points[place] = points[place].model_copy(update={"difference": difference})
    return tuple(points)


def _series(entry: _Asked, place: _Place) -> list[tuple[int, Series]]:
    """One series a seed; of the base one in all, since asking it again would give the same answers."""
    found = [(seed, series[place]) for seed, series in entry.by_seed.items() if place in series]
    return found[:1] if entry.dose == 0 else found


def _point(bench: Bench, entry: _Asked, place: _Place, before: Series) -> DosePoint:
    found = _series(entry, place)
    series = [one for _, one in found]
    difference = compare_series(before, series, resampling=bench.resampling)[0] if entry.dose else None
    return DosePoint(
        dose=entry.dose,
        task=place[0],
        language=place[1],
        card=before.card,
        estimate=estimate_series(series, resampling=bench.resampling),
        seeds=tuple(SeedValue(seed=seed, value=value) for seed, one in found if (value := _mean(one)) is not None),
        difference=difference,
    )


def _mean(series: Series) -> float | None:
    values = [sample.value for sample in series.samples.values() if sample.value is not None]
    return sum(values) / len(values) if values else None
