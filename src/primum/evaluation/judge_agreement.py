"""How far a judge and people agree, in figures: over all rows, by group, and beside people's agreement with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from primum.evaluation.judge_targets import Target
from primum.schema.estimate import Estimate
from primum.schema.judge_calibration import Confusion, HumanCeiling, Judged, ReliabilityBin
from primum.stats.agreement import estimate_kappa, estimate_macro_f1, estimate_percent_agreement, pair_ratings
from primum.stats.calibration import equal_mass_bins, estimate_ece
from primum.stats.clustered_alpha import estimate_alpha_share, estimate_clustered_alpha
from primum.stats.discrimination import estimate_auroc, estimate_balanced_accuracy
from primum.stats.intervals import estimate_proportion
from primum.stats.observations import Quantity, absent, read_values
from primum.stats.precision_recall import estimate_auprc
from primum.stats.resampling import Resampling

LEAST_IN_GROUP = 10
LABEL_METRICS = ("kappa", "alpha", "macro_f1", "accuracy", "balanced_accuracy", "recall", "false_positive_rate")
SCORE_METRICS = ("auroc", "auprc")
_BINS = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One pair with people's label and the judge's verdict.

    Attributes:
        label: People's label; None where they are tied.
        ratings: Each rater's label.
        cluster: Rows that share it are not independent.
        groups: Breakdown to value.
        verdict: What the judge said; None where it was not asked (``status`` says why).
        status: ``scored``, or why there is no verdict.
        decided: The label that counts as the judge's: its own, or by threshold.
    """

    label: int | None
    ratings: Mapping[str, int]
    cluster: str
    groups: Mapping[str, str]
    verdict: Judged | None
    status: str
    decided: int | None = None

    @property
    def score(self) -> float | None:
        """The judge's score, where it gave one."""
        return None if self.verdict is None else self.verdict.score


def measure_labels(rows: Sequence[Row], target: Target, *, resampling: Resampling, group: str = "", name: str = "") -> list[Estimate]:
    """Figures that need labels of both, in the order of ``LABEL_METRICS``; rows without one of them are counted as unscored."""
    both = [row for row in rows if row.label is not None and row.decided is not None]
    gaps = count_gaps(row for row in rows if row.label is not None and row.decided is None)
    clusters = [row.cluster for row in both]
    people, judge = [row.label for row in both], [row.decided for row in both]
    pairs = pair_ratings(people, judge, categories=target.categories, clusters=clusters)

    def about(metric: str) -> Quantity:
        return Quantity(metric=metric, group=group, name=name, unscored=gaps)

    truth, flags = ([target.positive(label or 0) for label in labels] for labels in (people, judge))
    return [
        estimate_kappa(pairs, quantity=about("kappa"), weights=target.kappa_weights, interval="bootstrap", resampling=resampling),
        estimate_clustered_alpha(
            [people, judge],
            clusters=clusters,
            categories=target.categories,
            quantity=about("alpha"),
            scale=target.alpha_scale,
            resampling=resampling,
        ),
        estimate_macro_f1(pairs, quantity=about("macro_f1"), resampling=resampling),
        estimate_percent_agreement(pairs, quantity=about("accuracy"), level=resampling.level),
        estimate_balanced_accuracy(flags, truth, quantity=about("balanced_accuracy"), clusters=clusters, resampling=resampling),
        *(
            estimate_proportion(
                [flag for flag, side in zip(flags, truth, strict=True) if side == wanted],
                quantity=about(metric),
                clusters=[cluster for cluster, side in zip(clusters, truth, strict=True) if side == wanted],
                level=resampling.level,
            )
            for metric, wanted in (("recall", 1), ("false_positive_rate", 0))
        ),
    ]


def measure_scores(rows: Sequence[Row], target: Target, *, resampling: Resampling, group: str = "", name: str = "") -> list[Estimate]:
    """Areas under the curves; nothing where the judge gave no score at all."""
    scored = [row for row in rows if row.label is not None and row.score is not None]
    if not any(row.score is not None for row in rows):
        return []
    quantity = Quantity(metric="auroc", group=group, name=name, unscored=count_gaps(r for r in rows if r.label is not None and r.score is None))
    marks, truth, clusters = _columns(scored, target)
    return [
        estimate_auroc(marks, truth, quantity=quantity, clusters=clusters, resampling=resampling),
        estimate_auprc(marks, truth, quantity=quantity.model_copy(update={"metric": "auprc"}), clusters=clusters, resampling=resampling),
    ]


def measure_groups(
    rows: Sequence[Row], target: Target, groups: Sequence[str], *, scored_rows: Sequence[Row], resampling: Resampling
) -> Iterator[Estimate]:
    """The same by group; below ten decided rows no figure is made, and the rows are counted as ``too_few``.

    Args:
        rows: Rows for figures that need labels.
        target: What is judged.
        groups: The breakdowns; a value may be blank, which is no group.
        scored_rows: Rows for figures that need scores only.
        resampling: Seed, resamples and level.
    """
    for group in groups:
        values = {row.groups.get(group, "") for row in scored_rows if row.label is not None}
        for name in sorted(values - {""}, key=_natural):
            found = [row for row in rows if row.groups.get(group) == name]
            with_score = [row for row in scored_rows if row.groups.get(group) == name]
            n = sum(row.label is not None and row.decided is not None for row in found)
            if n < LEAST_IN_GROUP:
                quantity = Quantity(metric="kappa", group=group, name=name, unscored={"too_few": n})
                yield absent(quantity, level=resampling.level, method="none")
                continue
            yield from measure_labels(found, target, resampling=resampling, group=group, name=name)
            yield from measure_scores(with_score, target, resampling=resampling, group=group, name=name)


def measure_reliability(rows: Sequence[Row], target: Target, *, resampling: Resampling) -> tuple[Estimate | None, tuple[ReliabilityBin, ...]]:
    """Expected calibration error and the reliability table; nothing where scores are no probabilities."""
    scored = [row for row in rows if row.label is not None and row.score is not None]
    marks, truth, clusters = _columns(scored, target)
    if not scored or target.ordinal or min(marks) < 0 or max(marks) > 1:
        return None, ()
    gaps = count_gaps(row for row in rows if row.label is not None and row.score is None)
    quantity = Quantity(metric="ece", unscored=gaps)
    ece = estimate_ece(marks, truth, quantity=quantity, bins=_BINS, clusters=clusters, resampling=resampling)
    places = equal_mass_bins(read_values(marks, what="scores"), _BINS).tolist()
    table = []
    for place in sorted(set(places)):
        inside = [index for index, found in enumerate(places) if found == place]
        stated = [marks[index] for index in inside]
        observed = estimate_proportion(
            [truth[index] for index in inside],
            quantity=Quantity(metric="observed"),
            clusters=[clusters[index] for index in inside],
            level=resampling.level,
        )
        table.append(ReliabilityBin(low=min(stated), high=max(stated), mean=sum(stated) / len(stated), observed=observed))
    return ece, tuple(table)


def tabulate(rows: Sequence[Row], target: Target) -> Confusion | None:
    """The confusion table; None where the judge decided nothing."""
    labelled = [row for row in rows if row.label is not None]
    if not any(row.decided is not None for row in labelled):
        return None
    found = Counter((row.label, row.decided) for row in labelled)
    return Confusion(
        categories=target.categories,
        counts=tuple(tuple(found[people, judge] for judge in target.categories) for people in target.categories),
        unscored=tuple(found[people, None] for people in target.categories),
    )


def measure_ceiling(rows: Sequence[Row], decided: Sequence[Row], target: Target, *, resampling: Resampling) -> HumanCeiling | None:
    """People's agreement with each other, and the judge's beside it; None with fewer than two raters or no pair that two of them labelled.

    Args:
        rows: Every row, ties included.
        decided: The rows on which the judge is measured, ties included.
        target: What is judged.
        resampling: Seed, resamples and level.
    """
    raters = sorted({rater for row in rows for rater in row.ratings})
    shared = [row for row in rows if len(row.ratings) >= 2]
    if len(raters) < 2 or not shared:
        return None
    quantity = Quantity(metric="alpha")
    columns = [[row.ratings.get(rater) for row in shared] for rater in raters]
    clusters = [row.cluster for row in shared]
    found = [
        estimate_clustered_alpha(
            columns, clusters=clusters, quantity=quantity, categories=target.categories, scale=target.alpha_scale, resampling=resampling
        )
    ]
    if len(raters) == 2:
        pairs = pair_ratings(columns[0], columns[1], categories=target.categories, clusters=clusters)
        kappa = Quantity(metric="kappa")
        found.append(estimate_kappa(pairs, quantity=kappa, weights=target.kappa_weights, interval="bootstrap", resampling=resampling))
        found.append(estimate_percent_agreement(pairs, quantity=Quantity(metric="accuracy"), level=resampling.level))
    usable = [row for row in decided if len(row.ratings) >= 2 and row.decided is not None]
    judge_alpha, human_alpha, share = estimate_alpha_share(
        [row.decided for row in usable if row.decided is not None],
        [[row.ratings.get(rater) for row in usable] for rater in raters],
        clusters=[row.cluster for row in usable],
        quantity=quantity,
        categories=target.categories,
        scale=target.alpha_scale,
        resampling=resampling,
    )
    return HumanCeiling(
        raters=len(raters), shared=len(shared), measurements=tuple(found), judge_alpha=judge_alpha, human_alpha=human_alpha, share=share
    )


def _columns(rows: Sequence[Row], target: Target) -> tuple[list[float], list[int], list[str]]:
    marks = [row.score for row in rows if row.score is not None]
    return marks, [target.positive(row.label or 0) for row in rows], [row.cluster for row in rows]


def count_gaps(rows: Iterator[Row]) -> dict[str, int]:
    """Why rows have no verdict; a scored one may still lack the kind of verdict that is measured."""
    return dict(sorted(Counter("other_verdict" if row.status == "scored" else row.status for row in rows).items()))


def _natural(name: str) -> tuple[str, int, str]:
    """E2 before E11."""
    stem = name.rstrip("0123456789")
    digits = name[len(stem) :]
    return stem, int(digits) if digits and len(digits) < 10 else 0, name
