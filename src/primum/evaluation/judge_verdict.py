"""Whether a judge may be relied on: bars on lower ends of intervals, fail-closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from primum.evaluation.label_files import LEAST_PAIRS
from primum.report.calibration_wording import figure_name, tell_calibration
from primum.report.wording import join_names, language_name
from primum.schema.base import Bilingual
from primum.schema.estimate import Estimate
from primum.schema.judge_calibration import BarCheck, CalibrationVerdict

# A bootstrap of fewer clusters gives intervals that are too narrow to certify anything.
LEAST_CLUSTERS: Final = 10


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what people labelled the judge decided.

    Attributes:
        labelled: Pairs that people labelled.
        scored: Those on which the judge gave a verdict.
        measured: Rows behind the agreement figures: fewer where half of them fitted a threshold.
        clusters: Independent units among those.
    """

    labelled: int
    scored: int
    measured: int
    clusters: int


def check_bars(estimates: Iterable[Estimate], coverage: Coverage, bars: Mapping[str, float]) -> tuple[BarCheck, ...]:
    """Decide every bar. What cannot be computed is not cleared.

    Args:
        estimates: The figures of one group, or overall.
        coverage: What they rest on.
        bars: Figure to bar; ``unscored`` is the largest share without a verdict.
    """
    figures = {estimate.metric: estimate for estimate in estimates}
    return (
        _check_count("rows", coverage.measured, LEAST_PAIRS),
        _check_count("clusters", coverage.clusters, LEAST_CLUSTERS),
        _check_unscored(coverage, bars["unscored"]),
        *(_check_figure(name, figures.get(name), bar) for name, bar in bars.items() if name != "unscored"),
    )


def decide(checks: Sequence[BarCheck], languages: Mapping[str, Sequence[BarCheck]], blocking: Sequence[Bilingual]) -> CalibrationVerdict:
    """One verdict: every bar cleared over all rows, at least one language that clears them on its own, and nothing that forbids it.

    Args:
        checks: Bars over all rows.
        languages: Bars on each language's own rows.
        blocking: Why no certificate may be given whatever the figures say.
    """
    failed = [check.reason for check in checks if not check.cleared]
    cleared = cleared_languages(languages)
    reasons = [*blocking, *failed]
    if not reasons and not cleared:
        reasons.append(tell_calibration("reason.no_language"))
    if reasons:
        return CalibrationVerdict(decision="not_certified", reasons=tuple(reasons), checks=tuple(checks))
    told = [tell_calibration("reason.all", languages=join_names([language_name(name) for name in cleared]))]
    told += [tell_calibration("reason.not_language", language=language_name(name)) for name in languages if name not in cleared]
    return CalibrationVerdict(decision="certified", reasons=tuple(told), checks=tuple(checks))


def cleared_languages(languages: Mapping[str, Sequence[BarCheck]]) -> tuple[str, ...]:
    """Languages in which every bar is cleared."""
    return tuple(name for name, checks in languages.items() if all(check.cleared for check in checks))


def _check_count(name: str, count: int, least: int) -> BarCheck:
    cleared = count >= least
    reason = tell_calibration(f"reason.{name}" if cleared else f"reason.few_{name}", n=count, least=least)
    return BarCheck(metric=name, bar=least, found=count, cleared=cleared, reason=reason)


def _check_unscored(coverage: Coverage, limit: float) -> BarCheck:
    share = (coverage.labelled - coverage.scored) / coverage.labelled if coverage.labelled else 1.0
    cleared = share <= limit
    reason = tell_calibration(
        "reason.decided" if cleared else "reason.undecided",
        share=f"{share:.1%}",
        count=coverage.labelled - coverage.scored,
        of=coverage.labelled,
        limit=f"{limit:.1%}",
    )
    return BarCheck(metric="unscored", bar=limit, found=share, cleared=cleared, reason=reason)


def _check_figure(name: str, estimate: Estimate | None, bar: float) -> BarCheck:
    if estimate is None or estimate.value is None or estimate.low is None:
        return BarCheck(metric=name, bar=bar, found=None, cleared=False, reason=tell_calibration("reason.undefined", metric=figure_name(name)))
    cleared = estimate.low >= bar
    # Rounding must not make a lower end read as the bar that it misses.
    shown = next((text for digits in (2, 3, 4) if (text := f"{estimate.low:.{digits}f}") != f"{bar:.{digits}f}" or cleared), f"{estimate.low:.6g}")
    parts = {"metric": figure_name(name), "value": f"{estimate.value:.2f}", "low": shown, "bar": f"{bar:g}", "n": estimate.n}
    return BarCheck(
        metric=name, bar=bar, found=estimate.low, cleared=cleared, reason=tell_calibration("reason.cleared" if cleared else "reason.below", **parts)
    )
