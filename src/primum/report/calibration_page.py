"""The page of a judge's calibration: how far it agrees with people, whether that suffices, and the thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from primum.report.calibration_wording import breakdown_name, figure_name, gap_name, tell_calibration
from primum.report.estimate_rows import EstimateRow, Marks, estimate_row, level_text
from primum.report.render import render_page
from primum.report.scales import SHARE, Scale
from primum.report.wording import group_value, language_name, same_in_both
from primum.schema.base import Bilingual
from primum.schema.estimate import Estimate
from primum.schema.judge_calibration import Confusion, FittedThreshold, HumanCeiling, JudgeCalibration, ReliabilityBin

# Agreement below chance is rare and its size says little: bars begin at chance.
_AGREEMENT: Final = Scale(low=0.0, high=1.0, percent=False)
_CHANCE_CORRECTED: Final = frozenset({"kappa", "alpha", "alpha_judge", "alpha_human", "auroc", "auprc"})
_IN_GROUPS: Final = ("kappa", "alpha", "accuracy", "balanced_accuracy", "macro_f1", "auroc")


@dataclass(frozen=True, slots=True)
class ReliabilityRow:
    """One group of rows of about equal score."""

    scores: str
    mean: str
    observed: EstimateRow


@dataclass(frozen=True, slots=True)
class ThresholdView:
    """One fitted threshold."""

    title: Bilingual
    fitted: Bilingual
    operating: bool
    rows: tuple[EstimateRow, ...]


@dataclass(frozen=True, slots=True)
class GroupView:
    """One breakdown: a row a value, a figure a column; None where too few rows stand behind it."""

    title: Bilingual
    metrics: tuple[Bilingual, ...]
    rows: tuple[tuple[Bilingual, Bilingual, tuple[EstimateRow | None, ...]], ...]


def render_calibration(calibration: JudgeCalibration) -> str:
    """Render the page.

    Args:
        calibration: A judge, measured.

    Returns:
        One self-contained HTML document; equal input gives equal bytes.
    """
    overall = [estimate for estimate in calibration.measurements if not estimate.group]
    counts = calibration.counts
    auprc = next((estimate for estimate in overall if estimate.metric == "auprc" and estimate.value is not None), None)
    context = {
        "c": tell_calibration,
        "calibration": calibration,
        "certified": calibration.verdict.decision == "certified",
        "level": level_text(calibration.level),
        "languages": [language_name(name) for name in calibration.languages],
        "overall": [_row(estimate, figure_name(estimate.metric), bar=calibration.bars.get(estimate.metric)) for estimate in overall],
        "positive_share": SHARE.text(_positive_share(calibration)) if auprc is not None else None,
        "human": _view_human(calibration.human) if calibration.human is not None else None,
        "confusion": _view_confusion(calibration.confusion) if calibration.confusion is not None else None,
        "confusion_labels": [_label(label, calibration) for label in calibration.confusion.categories] if calibration.confusion else [],
        "reliability": [_view_bin(found) for found in calibration.reliability],
        "thresholds": [_view_threshold(threshold) for threshold in calibration.thresholds],
        "groups": list(_view_groups(calibration)),
        "facts": [
            ("rows", f"{counts.rows:,}"),
            ("pairs", f"{counts.pairs:,}"),
            ("labelled", f"{counts.labelled:,}"),
            ("ties", f"{counts.ties:,}"),
            ("unlabelled", f"{counts.unlabelled:,}"),
        ],
        "labels": [(_label(int(label), calibration), count) for label, count in counts.labels.items()],
        "statuses": [(gap_name(status), count) for status, count in counts.statuses.items()],
        "seed": str(calibration.seed),
    }
    return render_page("calibration.html.jinja", context)


def _row(estimate: Estimate, label: Bilingual, *, bar: float | None = None) -> EstimateRow:
    scale = _AGREEMENT if estimate.metric in _CHANCE_CORRECTED else SHARE
    made = estimate_row(estimate, label, scale, Marks(bar=bar))
    return replace(made, unscored=tuple((gap_name(status), count) for status, count in sorted(estimate.unscored.items()) if count))


def _positive_share(calibration: JudgeCalibration) -> float:
    labels = calibration.counts.labels
    positive = sum(count for label, count in labels.items() if int(label) >= calibration.positive_from)
    return positive / max(1, sum(labels.values()))


def _label(label: int, calibration: JudgeCalibration) -> Bilingual:
    if calibration.target == "harmfulness":
        return same_in_both(str(label))
    return tell_calibration("label.one" if label else "label.zero")


def _view_human(human: HumanCeiling) -> list[EstimateRow]:
    rows = [_row(estimate, tell_calibration("human.with_each", metric=figure_name(estimate.metric))) for estimate in human.measurements]
    rows += [
        _row(estimate, tell_calibration(f"human.{name}"))
        for name, estimate in (("human_alpha", human.human_alpha), ("judge_alpha", human.judge_alpha), ("share", human.share))
    ]
    return rows


def _view_confusion(confusion: Confusion) -> list[tuple[int, list[tuple[int, bool]], int, int]]:
    """A row a label of people: the label's place, its counts (and whether they agree), those without a label, and all."""
    return [
        (place, [(count, other == place) for other, count in enumerate(counts)], missing, sum(counts) + missing)
        for place, (counts, missing) in enumerate(zip(confusion.counts, confusion.unscored, strict=True))
    ]


def _view_bin(found: ReliabilityBin) -> ReliabilityRow:
    scores = f"{found.low:.3f}" if found.low == found.high else f"{found.low:.3f}–{found.high:.3f}"
    return ReliabilityRow(scores=scores, mean=SHARE.text(found.mean), observed=_row_with_mark(found))


def _row_with_mark(found: ReliabilityBin) -> EstimateRow:
    return estimate_row(found.observed, same_in_both("observed"), SHARE, Marks(chance=found.mean))


def _view_threshold(threshold: FittedThreshold) -> ThresholdView:
    parts: dict[str, object] = {"threshold": repr(threshold.threshold), "n": f"{threshold.fitted_n:,}"}
    negatives = threshold.fitted_negatives
    if negatives:
        parts |= {"negatives": f"{negatives:,}", "blocks": threshold.fitted_false_blocks}
        parts["share"] = SHARE.text(threshold.fitted_false_blocks / negatives)
    limit = {} if threshold.limit is None else {"limit": SHARE.bar_text(threshold.limit)}
    return ThresholdView(
        title=tell_calibration(f"rule.{threshold.rule}", **limit),
        fitted=tell_calibration("rule.fitted" if negatives else "rule.fitted_none", **parts),
        operating=threshold.operating,
        rows=tuple(
            _row(estimate, figure_name(estimate.metric), bar=threshold.limit if estimate.metric == "false_block_rate" else None)
            for estimate in threshold.measurements
        ),
    )


def _view_groups(calibration: JudgeCalibration) -> Iterable[GroupView]:
    by_group: dict[str, dict[str, dict[str, Estimate]]] = {}
    for estimate in calibration.measurements:
        if estimate.group:
            by_group.setdefault(estimate.group, {}).setdefault(estimate.name, {})[estimate.metric] = estimate
    for group, values in by_group.items():
        shown = [metric for metric in _IN_GROUPS if any(metric in figures and figures[metric].value is not None for figures in values.values())]
        yield GroupView(
            title=breakdown_name(group),
            metrics=tuple(figure_name(metric) for metric in shown),
            rows=tuple(_group_row(group, name, figures, shown) for name, figures in values.items()),
        )


def _group_row(
    group: str, name: str, figures: Mapping[str, Estimate], shown: Sequence[str]
) -> tuple[Bilingual, Bilingual, tuple[EstimateRow | None, ...]]:
    label = language_name(name) if group == "language" else group_value(group, name)
    few = next((estimate.unscored["too_few"] for estimate in figures.values() if "too_few" in estimate.unscored), None)
    if few is not None:
        return label, tell_calibration("column.too_few", n=few), tuple(None for _ in shown)
    rows = figures["accuracy"].n
    return label, same_in_both(f"{rows:,}"), tuple(_row(figures[metric], label) if metric in figures else None for metric in shown)
