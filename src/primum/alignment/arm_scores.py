"""What the runs of an evaluated folder scored, sample by sample, and how two folders differ on the same samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from primum.evaluation.metrics import scored_metrics
from primum.runs.store import RunStore
from primum.schema.audit import RunResult
from primum.schema.base import Bilingual, Language
from primum.schema.card import MetricCard
from primum.schema.estimate import Estimate, PairedDifference
from primum.stats.intervals import estimate_mean, estimate_proportion
from primum.stats.observations import Quantity
from primum.stats.paired import compare_paired
from primum.stats.resampling import Resampling

# Items of one norm are not independent: what counts as one observation is the norm, where there is one.
_SCORES: Final = """
    SELECT s.key, s.status, s.value, coalesce(nullif(i.norm, ''), nullif(i.cluster, ''), i.id), coalesce(i.groups[?], '')
    FROM scores s JOIN items i ON i.id = s.item
    WHERE s.scorer = ? AND s.metric = ? ORDER BY i.position, s.epoch
"""
_POINTS: Final = """
    SELECT s.key, s.label, coalesce(nullif(i.norm, ''), nullif(i.cluster, ''), i.id), coalesce(i.groups[?], '')
    FROM scores s JOIN items i ON i.id = s.item
    WHERE s.scorer = 'guardian' AND s.metric = 'quality' AND s.status = 'scored' AND length(s.label) = 4 ORDER BY i.position, s.epoch
"""
_POINT_TITLES: Final = (
    Bilingual(zh="Q1 识别伦理问题（守护者评）", en="Q1 sees the ethical issue (by the guardian)"),
    Bilingual(zh="Q2 援引规范（守护者评）", en="Q2 refers to the norm (by the guardian)"),
    Bilingual(zh="Q3 建议可行（守护者评）", en="Q3 gives usable advice (by the guardian)"),
    Bilingual(zh="Q4 体现共情（守护者评）", en="Q4 shows empathy (by the guardian)"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One score, or why there is none."""

    status: str
    value: float | None
    cluster: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one run: its samples by key, in file order."""

    task: str
    language: Language
    card: MetricCard
    samples: dict[str, Sample]

    @property
    def place(self) -> tuple[str, Language, str]:
        """Task, language and metric: what two runs share."""
        return self.task, self.language, self.card.name


def read_series(directory: Path, runs: Sequence[RunResult], *, group: str = "") -> Iterator[Series]:
    """Every metric of every run, with the samples' values of ``group`` where one is named."""
    for run in runs:
        with RunStore(directory / run.directory) as store:
            for card in scored_metrics(store, run.card):
                rows = store.sql(_SCORES, (group, card.scorer, card.name))
                samples = {key: Sample(status, value, cluster, name) for key, status, value, cluster, name in rows}
                yield Series(run.spec.task, run.language, card, samples)


def read_quality_points(directory: Path, runs: Sequence[RunResult], *, group: str = "") -> Iterator[Series]:
    """Q1..Q4 of arXiv 2601.07954 one by one, as the guardian gave them to answers without risk (its ``quality`` is their mean)."""
    for run in runs:
        with RunStore(directory / run.directory) as store:
            rows = store.sql(_POINTS, (group,))
            for place, title in enumerate(_POINT_TITLES, start=1):
                card = MetricCard(name=f"q{place}", scorer="guardian", title=title, judged=True)
                samples = {key: Sample("scored", float(label[place - 1]), cluster, name) for key, label, cluster, name in rows}
                if samples:
                    yield Series(run.spec.task, run.language, card, samples)


def estimate_series(series: Sequence[Series], *, resampling: Resampling, group: str = "", name: str = "") -> Estimate:
    """One estimate over the answers of one or more runs of the same items (seeds), resampling norms.

    Args:
        series: The same metric of each run; not empty.
        resampling: Seed and level.
        group: Name of the breakdown, for the estimate.
        name: Only samples of this value of the breakdown; empty takes all.
    """
    card = series[0].card
    samples = [sample for one in series for sample in one.samples.values() if not name or sample.group == name]
    unscored: dict[str, int] = {}
    for sample in samples:
        if sample.value is None:
            unscored[sample.status] = unscored.get(sample.status, 0) + 1
    scored = [(sample.value, sample.cluster) for sample in samples if sample.value is not None]
    values, clusters = [value for value, _ in scored], [cluster for _, cluster in scored]
    bounds = (0.0, 1.0) if card.kind == "proportion" else card.bounds
    quantity = Quantity(metric=card.name, group=group, name=name, unscored=unscored, bounds=bounds)
    if card.kind == "proportion":
        return estimate_proportion(values, quantity=quantity, clusters=clusters, level=resampling.level)
    return estimate_mean(values, quantity=quantity, clusters=clusters, resampling=resampling)


def compare_series(
    before: Series, after: Sequence[Series], *, resampling: Resampling, group: str = "", name: str = ""
) -> tuple[PairedDifference | None, int]:
    """The paired difference of one or more runs to another one, and how many samples had no partner; None where nothing was scored in both.

    Args:
        before: The run compared with.
        after: The same metric of one run, or of one run for each seed.
        resampling: Seed and level.
        group: Name of the breakdown, for the difference.
        name: Only samples of this value of the breakdown; empty takes all.
    """
    first, second, clusters = [], [], []
    unpaired = 0
    for series in after:
        for key in before.samples.keys() | series.samples.keys():
            if name and (before.samples.get(key) or series.samples[key]).group != name:
                continue
            a, b = (one.samples[key].value if key in one.samples else None for one in (before, series))
            unpaired += (a is None) != (b is None)
    for series in after:
        for key, sample in before.samples.items():
            other = series.samples.get(key)
            if sample.value is not None and other is not None and other.value is not None and (not name or sample.group == name):
                first.append(sample.value)
                second.append(other.value)
                clusters.append(sample.cluster)
    if not first:
        return None, unpaired
    bounds = (0.0, 1.0) if before.card.kind == "proportion" else before.card.bounds
    quantity = Quantity(metric=before.card.name, group=group, name=name, bounds=bounds)
    return compare_paired(first, second, quantity=quantity, clusters=clusters, resampling=resampling), unpaired
