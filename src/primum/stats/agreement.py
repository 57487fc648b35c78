"""Agreement between raters: a judge is measured against people before it is believed.

Kappa and its kin are 0 by chance and 1 for perfect agreement. They are undefined where only one category was ever used: then the
estimate has no value and its observations are counted under ``undefined`` (report the percent agreement instead).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from primum.errors import InputError, UsageError
from primum.schema.estimate import Estimate
from primum.stats.intervals import estimate_proportion, settle_replicates, z_score
from primum.stats.observations import Clusters, FloatArray, IntArray, Quantity, absent, cluster_codes, present, require_same_length
from primum.stats.resampling import Resampling, cluster_totals, resampled_totals, unanimous_share

Label = str | int | float
Weights = Literal["unweighted", "linear", "quadratic"]
Scale = Literal["nominal", "ordinal", "interval"]
_RESAMPLING = Resampling()


@dataclass(frozen=True, kw_only=True, eq=False)
class RatingPairs:
    """Two raters' categories of the same objects, made by `pair_ratings`.

    Attributes:
        categories: The categories, in order.
        first: Code of the first rater's category, shape ``(n,)``.
        second: Code of the second rater's category, shape ``(n,)``.
        codes: Cluster of each object, shape ``(n,)``.
        clusters: Number of clusters.
        missing: Objects left out because a rating is missing.
        in_order: Whether the categories' order means anything: it was given, or they are numbers.
    """

    categories: tuple[Label, ...]
    first: IntArray
    second: IntArray
    codes: IntArray
    clusters: int
    missing: int
    in_order: bool

    @property
    def n(self) -> int:
        """Objects that both rated."""
        return int(self.first.size)

    @property
    def table(self) -> IntArray:
        """Counts, first rater in rows and second in columns, shape ``(k, k)``."""
        k = len(self.categories)
        return np.bincount(self.first * k + self.second, minlength=k * k).reshape(k, k)


def pair_ratings(
    first: Sequence[Label | None], second: Sequence[Label | None], *, categories: Sequence[Label] | None = None, clusters: Clusters | None = None
) -> RatingPairs:
    """Pair two raters' ratings; objects that one of them did not rate are left out and counted.

    Args:
        first: First rater's categories (people, the gold standard).
        second: Second rater's categories (a judge, the predictions).
        categories: All categories in order. Needed for weighted kappa of words; numbers are sorted by themselves.
        clusters: Labels of objects that are not independent (one item's samples).

    Raises:
        InputError: If the columns differ in length, or a rating is not among ``categories`` (named by row, not by its text).
    """
    require_same_length(len(first), len(second), what="second rater")
    labels: list[Hashable] = list(range(len(first))) if clusters is None else list(clusters)
    require_same_length(len(first), len(labels), what="cluster labels")
    kept = [row for row in range(len(first)) if first[row] is not None and second[row] is not None]
    one, other = ([column[row] for row in kept] for column in (first, second))
    if categories is None:
        found = {label for label in (*one, *other) if label is not None}
        if len({isinstance(label, str) for label in found}) > 1:
            raise InputError("ratings mix words and numbers", remedy="Use one kind of category, or list the categories.")
        ordered: tuple[Label, ...] = tuple(sorted(found, key=lambda label: (label if isinstance(label, str) else "", _number(label))))
    else:
        ordered = tuple(categories)
    place = {label: index for index, label in enumerate(ordered)}
    coded = []
    for name, column in (("first", one), ("second", other)):
        for row, label in zip(kept, column, strict=True):
            if label not in place:
                raise InputError(f"{name} rater: row {row} is not among the {len(ordered)} categories", remedy="List every category that occurs.")
        coded.append(np.array([place[label] for label in column if label is not None], dtype=np.int64))
    codes, m = cluster_codes([labels[row] for row in kept], len(kept))
    return RatingPairs(
        categories=ordered,
        first=coded[0],
        second=coded[1],
        codes=codes,
        clusters=m,
        missing=len(first) - len(kept),
        in_order=categories is not None or not any(isinstance(label, str) for label in ordered),
    )


def estimate_percent_agreement(ratings: RatingPairs, *, quantity: Quantity, level: float = 0.95) -> Estimate:
    """Estimate the share of objects that both raters put into the same category (Wilson, clustered where clusters are shared)."""
    same = ratings.first == ratings.second
    return estimate_proportion(same, quantity=_named(quantity, ratings), clusters=list(ratings.codes), level=level)


def estimate_kappa(
    ratings: RatingPairs,
    *,
    quantity: Quantity,
    weights: Weights = "unweighted",
    interval: Literal["auto", "asymptotic", "bootstrap"] = "auto",
    resampling: Resampling = _RESAMPLING,
) -> Estimate:
    """Estimate Cohen's kappa (Cohen 1960), unweighted or weighted by linear or quadratic distance of the categories' ranks (Cohen 1968).

    The asymptotic interval uses the variance of Fleiss, Cohen & Everitt (1969, Psychol Bull 72:323-327), by statsmodels. Perfect agreement
    has no such variance: its lower end then comes from the exact bound on the share of disagreement (`unanimous_share`) at the
    expected disagreement of the observed margins. Where the variance vanishes for another reason, the bootstrap takes over.

    Args:
        ratings: Both raters' categories.
        quantity: What is estimated.
        weights: How near misses count.
        interval: ``auto`` is asymptotic, or bootstrap where clusters are shared.
        resampling: Level; seed and resamples of the bootstrap.

    Raises:
        UsageError: If weighted kappa is asked for words whose order was not given.
    """
    if weights != "unweighted" and not ratings.in_order:
        raise UsageError("the order of words is unknown", remedy="List the categories in order when pairing the ratings.")
    named = _named(quantity, ratings)
    shared = ratings.clusters < ratings.n
    chosen = ("bootstrap" if shared else "asymptotic") if interval == "auto" else interval
    if ratings.n == 0:
        return absent(named, level=resampling.level, method=chosen)
    distance = _distance(len(ratings.categories), weights)
    counts = ratings.table
    observed, expected = _disagreement(counts[None].astype(np.float64), distance)
    if expected[0] == 0:
        return absent(named, level=resampling.level, method=chosen, undefined=ratings.n)
    value = float(1 - observed[0] / expected[0])
    sizes = (ratings.n, ratings.clusters)
    if observed[0] == 0:
        return perfect(named, expected=float(expected[0]), worst=1.0, sizes=sizes, level=resampling.level)
    if chosen == "asymptotic":
        from statsmodels.stats.inter_rater import cohens_kappa

        style = {"unweighted": None, "linear": "linear", "quadratic": "quadratic"}[weights]
        # Where a rater used one category only, the library divides by its null variance of 0.
        with np.errstate(all="ignore"):
            variance = float(cohens_kappa(counts, wt=style).var_kappa)
        if variance > 1e-12:
            half = z_score(resampling.level) * variance**0.5
            return present(named, value, (max(-1.0, value - half), min(1.0, value + half)), sizes=sizes, level=resampling.level, method="asymptotic")

    def kappa(tables: FloatArray) -> FloatArray:
        some, base = _disagreement(tables, distance)
        return np.asarray(1 - some[base > 0] / base[base > 0])

    scaled = named.model_copy(update={"bounds": (-1.0, 1.0)})
    return settle_replicates(scaled, value, _over_tables(ratings, kappa, resampling, "kappa"), sizes=sizes, m=ratings.clusters, resampling=resampling)


def estimate_ac1(ratings: RatingPairs, *, quantity: Quantity, resampling: Resampling = _RESAMPLING) -> Estimate:
    """Estimate Gwet's AC1 (2008, Br J Math Stat Psychol 61:29-48), with a bootstrap interval.

    Kappa can be low although raters nearly always agree, when one category is rare (as harm should be); AC1 is steadier there. Show both.
    """
    named = _named(quantity, ratings)
    k = len(ratings.categories)
    if ratings.n == 0 or k < 2:
        return absent(named, level=resampling.level, method="bootstrap-percentile", undefined=ratings.n)

    def ac1(tables: FloatArray) -> FloatArray:
        n = tables.sum(axis=(1, 2))
        shares = (tables.sum(axis=1) + tables.sum(axis=2)) / (2 * n[:, None])
        expected = (shares * (1 - shares)).sum(axis=1) / (k - 1)
        agreed = np.trace(tables, axis1=1, axis2=2) / n
        return np.asarray((agreed - expected) / (1 - expected))

    counts = ratings.table[None].astype(np.float64)
    value, sizes = float(ac1(counts)[0]), (ratings.n, ratings.clusters)
    if value == 1.0:
        shares = (counts[0].sum(axis=0) + counts[0].sum(axis=1)) / (2 * ratings.n)
        base = 1 - float((shares * (1 - shares)).sum()) / (k - 1)
        return perfect(named, expected=base, worst=1.0, sizes=sizes, level=resampling.level)
    scaled = named.model_copy(update={"bounds": (-1.0, 1.0)})
    return settle_replicates(scaled, value, _over_tables(ratings, ac1, resampling, "ac1"), sizes=sizes, m=ratings.clusters, resampling=resampling)


def estimate_macro_f1(ratings: RatingPairs, *, quantity: Quantity, resampling: Resampling = _RESAMPLING) -> Estimate:
    """Estimate the unweighted mean of the categories' F1 (first rater gold, second rater prediction), with a bootstrap interval.

    Categories that neither rater used are left out, as in scikit-learn. A perfect score rests on its rarest category: the interval of a
    unanimous result counts only that many observations.
    """
    named = _named(quantity, ratings).model_copy(update={"bounds": (0.0, 1.0)})
    if ratings.n == 0:
        return absent(named, level=resampling.level, method="bootstrap-percentile")

    def macro_f1(tables: FloatArray) -> FloatArray:
        hits = np.diagonal(tables, axis1=1, axis2=2)
        marks = tables.sum(axis=1) + tables.sum(axis=2)
        scores = np.divide(2 * hits, marks, out=np.zeros_like(marks), where=marks > 0)
        return np.asarray(scores.sum(axis=1) / (marks > 0).sum(axis=1))

    counts = ratings.table
    value = float(macro_f1(counts[None].astype(np.float64))[0])
    gold = counts.sum(axis=1)
    rarest = int(gold[gold > 0].min())
    replicates = _over_tables(ratings, macro_f1, resampling, "macro-f1")
    return settle_replicates(named, value, replicates, sizes=(ratings.n, ratings.clusters), m=min(rarest, ratings.clusters), resampling=resampling)


def estimate_alpha(
    ratings: Sequence[Sequence[Label | None]],
    *,
    quantity: Quantity,
    scale: Scale = "nominal",
    categories: Sequence[Label] | None = None,
    resampling: Resampling = _RESAMPLING,
) -> Estimate:
    """Estimate Krippendorff's alpha for any number of raters with missing ratings (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").

    The value is the package ``krippendorff``'s. The interval resamples objects (Zapf et al. 2016, BMC Med Res Methodol 16:93). Objects with fewer
    than two ratings cannot be compared: they are counted as unscored under ``unpaired``, and n counts the others.

    Args:
        ratings: One row per rater, one column per object, None where a rating is missing.
        quantity: What is estimated.
        scale: Level of measurement.
        categories: All categories in order; needed for words on an ordinal scale.
        resampling: Seed, resamples and level.

    Raises:
        InputError: If rows differ in length, or a rating is not among the categories.
        UsageError: If words are put on an interval scale, or on an ordinal one without their order.
    """
    counts, domain = value_counts(ratings, scale=scale, categories=categories)
    paired = counts[counts.sum(axis=1) >= 2]
    unscored = dict(quantity.unscored)
    if len(paired) < len(counts):
        unscored["unpaired"] = unscored.get("unpaired", 0) + len(counts) - len(paired)
    named = quantity.model_copy(update={"unscored": unscored})
    n = len(paired)
    if n == 0 or np.count_nonzero(paired.sum(axis=0)) < 2:
        return absent(named, level=resampling.level, method="bootstrap-percentile", undefined=n)
    from krippendorff import alpha

    value = float(alpha(value_counts=paired, value_domain=domain, level_of_measurement=scale))
    each = coincidences(paired)
    total = each.sum(axis=0)[None]
    observed, expected, worst = alpha_parts(total, domain, scale)
    if observed[0] == 0:
        return perfect(named, expected=float(expected[0]), worst=float(worst[0]), sizes=(n, n), level=resampling.level)
    k = len(domain)
    totals = resampled_totals(each.reshape(n, k * k), resampling=resampling, stream="alpha").reshape(-1, k, k)
    some, base, _ = alpha_parts(totals, domain, scale)
    replicates = 1 - some[base > 0] / base[base > 0]
    scaled = named.model_copy(update={"bounds": (-1.0, 1.0)})
    return settle_replicates(scaled, value, replicates, sizes=(n, n), m=n, resampling=resampling)


def _named(quantity: Quantity, ratings: RatingPairs) -> Quantity:
    if not ratings.missing:
        return quantity
    unscored = dict(quantity.unscored)
    unscored["missing"] = unscored.get("missing", 0) + ratings.missing
    return quantity.model_copy(update={"unscored": unscored})


def _number(label: Label) -> float:
    return 0.0 if isinstance(label, str) else float(label)


def _distance(k: int, weights: Weights) -> FloatArray:
    gaps = np.abs(np.subtract.outer(np.arange(k), np.arange(k))).astype(np.float64)
    if weights == "unweighted":
        return np.asarray((gaps > 0).astype(np.float64))
    return np.asarray((gaps / max(k - 1, 1)) ** (1 if weights == "linear" else 2))


def _disagreement(tables: FloatArray, distance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Observed and expected mean distance of each table, tables of shape ``(r, k, k)``."""
    n = tables.sum(axis=(1, 2))
    expected = np.einsum("ri,ij,rj->r", tables.sum(axis=2), distance, tables.sum(axis=1)) / n**2
    return (tables * distance).sum(axis=(1, 2)) / n, np.asarray(expected)


def _over_tables(ratings: RatingPairs, statistic: Callable[[FloatArray], FloatArray], resampling: Resampling, stream: str) -> FloatArray:
    k = len(ratings.categories)
    cells = np.zeros((ratings.n, k * k))
    cells[np.arange(ratings.n), ratings.first * k + ratings.second] = 1.0
    used = np.flatnonzero(cells.any(axis=0))
    rows = cluster_totals(cells[:, used], ratings.codes, ratings.clusters)
    tables = np.zeros((resampling.resamples, k * k))
    tables[:, used] = resampled_totals(rows, resampling=resampling, stream=stream)
    return statistic(tables.reshape(-1, k, k))


def perfect(quantity: Quantity, *, expected: float, worst: float, sizes: tuple[int, int], level: float) -> Estimate:
    """The estimate of perfect agreement: its interval's low end comes from the clusters seen, since resampling finds no disagreement."""
    # All m clusters agree: at most this share of the population disagrees, each by at most the worst distance.
    share = 1 - unanimous_share(sizes[1], level=level)
    low = max(-1.0, 1 - share * worst / expected)
    return present(quantity, 1.0, (low, 1.0), sizes=sizes, level=level, method="unanimous")


def value_counts(ratings: Sequence[Sequence[Label | None]], *, scale: Scale, categories: Sequence[Label] | None) -> tuple[IntArray, Any]:
    """How many raters gave each object each category, (objects, categories), and the categories as numbers or ranks.

    Raises:
        UsageError: Words on an interval scale, or unordered words on an ordinal one.
        InputError: Rows differ in length, or a rating is not among the categories.
    """
    if not ratings:
        return np.zeros((0, 1), dtype=np.int64), np.arange(1)
    for index, row in enumerate(ratings):
        require_same_length(len(ratings[0]), len(row), what=f"rater {index}")
    found = {label for row in ratings for label in row if label is not None}
    words = any(isinstance(label, str) for label in (*found, *(categories or ())))
    if words and scale == "interval":
        raise UsageError("words have no interval scale", remedy="Use 'nominal' or 'ordinal', or rate with numbers.")
    if words and scale == "ordinal" and categories is None:
        raise UsageError("the order of words is unknown", remedy="List the categories in order.")
    given = sorted(found, key=lambda label: (str(label) if words else "", _number(label)))
    ordered = given if categories is None else list(categories)
    place = {label: index for index, label in enumerate(ordered)}
    counts = np.zeros((len(ratings[0]), max(1, len(ordered))), dtype=np.int64)
    for index, row in enumerate(ratings):
        for unit, label in enumerate(row):
            if label is None:
                continue
            if label not in place:
                raise InputError(
                    f"rater {index}: object {unit} is not among the {len(ordered)} categories", remedy="List every category that occurs."
                )
            counts[unit, place[label]] += 1
    domain = np.arange(counts.shape[1]) if words else np.asarray(ordered or [0], dtype=np.float64)
    return counts, domain


def coincidences(counts: IntArray) -> FloatArray:
    """Each object's part of the coincidence matrix, shape ``(n, k, k)`` from counts of shape ``(n, k)``."""
    table = counts.astype(np.float64)
    pairs = table[:, :, None] * table[:, None, :]
    diagonal = np.arange(table.shape[1])
    pairs[:, diagonal, diagonal] -= table
    return np.asarray(pairs / (table.sum(axis=1) - 1)[:, None, None])


def alpha_parts(totals: FloatArray, domain: Any, scale: Scale) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Observed, expected and worst distance of each coincidence matrix, matrices of shape ``(r, k, k)``."""
    margins = totals.sum(axis=2)
    n = margins.sum(axis=1)
    if scale == "ordinal":
        # The distance of two ranks is the number of ratings between them, half of their own included; it changes with every resample.
        middle = np.cumsum(margins, axis=1) - margins / 2
        distance = (middle[:, :, None] - middle[:, None, :]) ** 2
    elif scale == "interval":
        distance = np.broadcast_to((domain[:, None] - domain[None, :]) ** 2, totals.shape)
    else:
        distance = np.broadcast_to(1.0 - np.eye(len(domain)), totals.shape)
    observed = (totals * distance).sum(axis=(1, 2)) / n
    expected = (margins[:, :, None] * margins[:, None, :] * distance).sum(axis=(1, 2)) / (n * (n - 1))
    both = (margins[:, :, None] > 0) & (margins[:, None, :] > 0)
    return observed, expected, (distance * both).max(axis=(1, 2))
