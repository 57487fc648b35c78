"""A judge measured against people, from a label file to one record."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import primum
from primum.errors import DataFormatError, UsageError
from primum.evaluation.judge_agreement import Row, measure_ceiling, measure_groups, measure_labels, measure_reliability, measure_scores, tabulate
from primum.evaluation.judge_targets import DEFAULT_BARS, Target
from primum.evaluation.judge_thresholds import fit_thresholds, split_rows
from primum.evaluation.judge_verdict import Coverage, check_bars, cleared_languages, decide
from primum.evaluation.label_files import LabelFile
from primum.evaluation.pair_judges import PairJudge, ask
from primum.report.calibration_wording import tell_calibration
from primum.schema.base import Bilingual
from primum.schema.estimate import Estimate
from primum.schema.judge_calibration import BarCheck, FittedThreshold, JudgeCalibration, LabelCounts
from primum.stats.resampling import Resampling

EMPTY_ANSWER = "empty_answer"


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationOrder:
    """What to measure.

    Attributes:
        labels: People's labels.
        target: What they labelled.
        judge: What is measured against them.
        false_block_rate: Largest share of benign rows that may be flagged, or None where no such threshold is asked for.
        groups: Columns to break down by, besides dimension and language.
        bars: Figure to bar.
        resampling: Seed, resamples and level.
    """

    labels: LabelFile
    target: Target
    judge: PairJudge
    false_block_rate: float | None = None
    groups: Sequence[str] = ()
    bars: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_BARS))
    resampling: Resampling = field(default_factory=Resampling)


def calibrate(order: CalibrationOrder) -> JudgeCalibration:
    """Measure a judge.

    Blank answers are not shown to it; they, its abstentions and its faults are counted as unscored. Where it gives scores only, labels come
    from a threshold fitted on one half of the rows, and every figure that needs labels rests on the other half.

    Raises:
        UsageError: A false-block rate was asked for where nothing is blocked or the judge gives no scores.
        DataFormatError: People gave one label only, so that agreement is undefined, and no false-block rate was asked for; or a false-block
            rate was, and no row is benign.
        EngineResponseError: The judge gave another number of verdicts than it was asked for.
    """
    target, resampling = order.target, order.resampling
    _check_order(order)
    rows = _ask_all(order)
    first, second = split_rows(rows, target, seed=resampling.seed)
    thresholds: tuple[FittedThreshold, ...] = ()
    if any(row.score is not None for row in rows):
        thresholds = fit_thresholds(first, second, target, limit=order.false_block_rate, resampling=resampling)
    elif order.false_block_rate is not None and any(row.status == "scored" for row in rows):
        raise UsageError(
            f"judge {order.judge.name} gives labels and no scores: no threshold can be fitted",
            remedy="name a column of scores (--columns score=NAME), or leave out --false-block-rate",
        )
    own_labels = target.ordinal or all(row.verdict.label is not None for row in rows if row.verdict is not None and row.status == "scored")
    measured = [_decide_row(row, target, None if own_labels else thresholds) for row in (rows if own_labels else second)]
    if own_labels:
        thresholds = tuple(threshold.model_copy(update={"operating": False}) for threshold in thresholds)
    groups = tuple(dict.fromkeys(("dimension", "language", *order.groups)))
    overall = [*measure_labels(measured, target, resampling=resampling), *measure_scores(rows, target, resampling=resampling)]
    error, reliability = measure_reliability(rows, target, resampling=resampling)
    overall += [error] if error is not None else []
    by_group = list(measure_groups(measured, target, groups, scored_rows=rows, resampling=resampling))
    checks, languages = _check_all(order, rows, measured, overall, by_group)
    human = measure_ceiling([row for row in rows if row.ratings], measured, target, resampling=resampling)
    return JudgeCalibration(
        judge=order.judge.name,
        judge_sha256=order.judge.sha256,
        target=target.name,
        languages=cleared_languages(languages),
        labels_file=order.labels.path.name,
        labels_sha256=order.labels.sha256,
        positive_from=target.positive_from,
        kappa_weights=target.kappa_weights,
        alpha_scale=target.alpha_scale,
        counts=_count(order.labels, rows),
        measured_rows="all" if own_labels else "second_half",
        measurements=(*overall, *by_group),
        human=human,
        confusion=tabulate(measured, target),
        reliability=reliability,
        thresholds=thresholds,
        bars=order.bars,
        verdict=decide(checks, languages, list(_blocking(rows, target))),
        notes=tuple(_notes(order, rows, own_labels=own_labels, thresholds=thresholds, probabilities=bool(reliability))),
        seed=resampling.seed,
        resamples=resampling.resamples,
        level=resampling.level,
        primum=primum.__version__,
    )


def threshold_document(calibration: JudgeCalibration) -> dict[str, object] | None:
    """``threshold.json``: what a filter needs to use the judge at a threshold; None without thresholds."""
    if not calibration.thresholds:
        return None
    chosen = calibration.thresholds[0]
    return {
        "judge": calibration.judge,
        "judge_sha256": calibration.judge_sha256,
        "target": calibration.target,
        "labels_file": calibration.labels_file,
        "labels_sha256": calibration.labels_sha256,
        "seed": calibration.seed,
        "flag_when": "score >= threshold",
        "certified": calibration.verdict.decision == "certified",
        "threshold": chosen.threshold,
        "rule": chosen.rule,
        "limit": chosen.limit,
        "thresholds": [threshold.model_dump(mode="json") for threshold in calibration.thresholds],
    }


def _check_order(order: CalibrationOrder) -> None:
    target, limit, path = order.target, order.false_block_rate, order.labels.path
    if limit is not None and not target.blocks:
        raise UsageError(f"nothing is blocked on {target.name}: it has no false-block rate", remedy="leave out --false-block-rate")
    if limit is not None and not 0 <= limit < 1:
        raise UsageError(f"a false-block rate lies between 0 and 1, not at {limit:g}", remedy="give a share such as 0.02")
    labels = {found.label for found in order.labels.pairs if found.label is not None}
    if not labels:
        raise DataFormatError(f"{path}: no pair is labelled, or raters are tied on every one", remedy="label more pairs, or add a third rater")
    benign = any(not target.positive(label) for label in labels)
    if limit is not None and not benign:
        raise DataFormatError(f"{path}: no row is benign ({target.name} {target.categories[0]})", remedy="add benign rows: they fit the threshold")
    if limit is None and len(labels) < 2:
        (only,) = labels
        missing = ", ".join(str(category) for category in target.categories if category != only)
        way = ", or ask for a threshold alone with --false-block-rate" if target.blocks and benign else ""
        raise DataFormatError(
            f"{path}: every labelled row is {only}: agreement with people is undefined", remedy=f"add rows that people label {missing}{way}"
        )


def _ask_all(order: CalibrationOrder) -> list[Row]:
    """One row a pair that people labelled, ties included."""
    usable = [found for found in order.labels.pairs if found.ratings]
    verdicts = iter(ask(order.judge, [found.pair for found in usable if found.pair.answer]))
    rows = []
    for found in usable:
        verdict = next(verdicts) if found.pair.answer else None
        if verdict is not None and verdict.label is not None and verdict.label not in order.target.categories:
            raise UsageError(
                f"judge {order.judge.name} gives a label that {order.target.name} does not have", remedy="calibrate it on its own target"
            )
        rows.append(
            Row(
                label=found.label,
                ratings=found.ratings,
                cluster=found.cluster,
                groups=found.groups,
                verdict=verdict,
                status=EMPTY_ANSWER if verdict is None else verdict.status,
            )
        )
    return rows


def _decide_row(row: Row, target: Target, thresholds: Sequence[FittedThreshold] | None) -> Row:
    """The row with the label that counts as the judge's: its own, the nearest step of a scale, or by the operating threshold."""
    if row.verdict is None or row.status != "scored":
        return row
    score, decided = row.score, row.verdict.label
    if thresholds is not None:
        decided = int(score >= thresholds[0].threshold) if thresholds and score is not None else None
    elif decided is None and score is not None:
        decided = min(max(math.floor(score + 0.5), target.categories[0]), target.categories[-1])
    return replace(row, decided=decided)


def _check_all(
    order: CalibrationOrder, rows: Sequence[Row], measured: Sequence[Row], overall: Sequence[Estimate], by_group: Sequence[Estimate]
) -> tuple[tuple[BarCheck, ...], dict[str, tuple[BarCheck, ...]]]:
    names = sorted({row.groups["language"] for row in rows if row.label is not None})
    languages = {}
    for name in names:
        inside, decided = ([row for row in some if row.groups["language"] == name] for some in (rows, measured))
        figures = [estimate for estimate in by_group if estimate.group == "language" and estimate.name == name]
        languages[name] = check_bars(figures, _coverage(inside, decided), order.bars)
    return check_bars(overall, _coverage(rows, measured), order.bars), languages


def _coverage(rows: Sequence[Row], measured: Sequence[Row]) -> Coverage:
    labelled = [row for row in rows if row.label is not None]
    used = [row for row in measured if row.label is not None and row.decided is not None]
    return Coverage(
        labelled=len(labelled),
        scored=sum(row.status == "scored" for row in labelled),
        measured=len(used),
        clusters=len({row.cluster for row in used}),
    )


def _count(labels: LabelFile, rows: Sequence[Row]) -> LabelCounts:
    labelled = [row for row in rows if row.label is not None]
    return LabelCounts(
        rows=labels.rows,
        pairs=len(labels.pairs),
        raters=len(labels.raters),
        labelled=len(labelled),
        ties=sum(row.label is None for row in rows),
        unlabelled=sum(not found.ratings for found in labels.pairs),
        labels={str(label): count for label, count in sorted(Counter(row.label for row in labelled if row.label is not None).items())},
        statuses=dict(sorted(Counter(row.status for row in labelled).items())),
    )


def _blocking(rows: Sequence[Row], target: Target) -> Iterator[Bilingual]:
    sides = {target.positive(row.label) for row in rows if row.label is not None}
    if len(sides) < 2:
        yield tell_calibration("reason.one_class" if 0 in sides else "reason.one_class_positive")


def _notes(
    order: CalibrationOrder, rows: Sequence[Row], *, own_labels: bool, thresholds: Sequence[FittedThreshold], probabilities: bool
) -> Iterator[Bilingual]:
    ties = sum(row.label is None for row in rows)
    if ties:
        yield tell_calibration("note.ties", count=ties)
    if len(order.labels.raters) < 2:
        yield tell_calibration("note.one_rater")
    if not any(row.score is not None for row in rows):
        yield tell_calibration("note.no_scores")
    elif not probabilities and not order.target.ordinal:
        yield tell_calibration("note.no_probabilities")
    if not own_labels:
        yield tell_calibration("note.second_half" if thresholds else "note.no_threshold")
    if order.target.ordinal:
        yield tell_calibration("note.ordinal", start=order.target.positive_from)
    if order.judge.name.startswith("column:"):
        yield tell_calibration("note.column")
