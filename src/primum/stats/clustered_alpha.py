"""Krippendorff's alpha where objects share clusters, and how near a judge comes to the alpha of people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from primum.schema.estimate import Estimate
from primum.stats.agreement import Label, Scale, alpha_parts, coincidences, perfect, value_counts
from primum.stats.intervals import settle_replicates
from primum.stats.observations import Clusters, FloatArray, IntArray, Quantity, absent, cluster_codes, present
from primum.stats.resampling import Resampling, cluster_totals, is_degenerate, percentile_interval, resampled_totals

_RESAMPLING = Resampling()
Ratings = Sequence[Sequence[Label | None]]


def estimate_clustered_alpha(
    ratings: Ratings,
    *,
    clusters: Clusters,
    categories: Sequence[Label],
    quantity: Quantity,
    scale: Scale = "nominal",
    resampling: Resampling = _RESAMPLING,
) -> Estimate:
    """Estimate alpha as `estimate_alpha` does, resampling whole clusters of objects.

    Args:
        ratings: One row per rater, one column per object, None where a rating is missing.
        clusters: One label per object.
        categories: All categories in order.
        quantity: What is estimated.
        scale: Level of measurement.
        resampling: Seed, resamples and level.

    Raises:
        InputError: If rows differ in length, or a rating is not among the categories.
    """
    counts, domain = value_counts(ratings, scale=scale, categories=categories)
    codes, _ = cluster_codes(clusters, len(counts))
    kept = np.flatnonzero(counts.sum(axis=1) >= 2)
    unscored = dict(quantity.unscored)
    if len(kept) < len(counts):
        unscored["unpaired"] = unscored.get("unpaired", 0) + len(counts) - len(kept)
    named = quantity.model_copy(update={"unscored": unscored, "bounds": (-1.0, 1.0)})
    if len(kept) == 0 or np.count_nonzero(counts[kept].sum(axis=0)) < 2:
        return absent(named, level=resampling.level, method="bootstrap-percentile", undefined=len(kept))
    codes, m = cluster_codes(codes[kept].tolist(), len(kept))
    rows, k = _cluster_rows(coincidences(counts[kept]), codes, m), len(categories)
    sizes = (len(kept), m)
    observed, expected, worst = alpha_parts(rows.sum(axis=0).reshape(1, k, k), domain, scale)
    if observed[0] == 0:
        return perfect(named, expected=float(expected[0]), worst=float(worst[0]), sizes=sizes, level=resampling.level)
    totals = resampled_totals(rows, resampling=resampling, stream="clustered-alpha").reshape(-1, k, k)
    replicates = _alphas(totals, domain, scale)
    value = float(1 - observed[0] / expected[0])
    return settle_replicates(named, value, replicates[np.isfinite(replicates)], sizes=sizes, m=m, resampling=resampling)


def estimate_alpha_share(
    judge: Sequence[Label],
    ratings: Ratings,
    *,
    clusters: Clusters,
    categories: Sequence[Label],
    quantity: Quantity,
    scale: Scale = "nominal",
    resampling: Resampling = _RESAMPLING,
) -> tuple[Estimate, Estimate, Estimate]:
    """Estimate a judge's alpha with single raters, the raters' alpha with each other, and the first as a share of the second.

    Both alphas rest on the same objects and the same resamples. The judge's alpha pools the pairs (judge, rater) over raters: it is the alpha
    of a rater pair in which the judge is one, so that it compares with the raters' own.

    Args:
        judge: The judge's category of each object.
        ratings: One row per rater, one column per object, None where a rating is missing; objects need two ratings or more.
        clusters: One label per object.
        categories: All categories in order.
        quantity: Name for the estimates, which add ``_judge``, ``_human`` and ``_share``.
        scale: Level of measurement.
        resampling: Seed, resamples and level.

    Returns:
        The three estimates. The share has no value (``undefined``) where the raters' alpha is not above 0 with its whole interval.
    """
    counts, domain = value_counts(ratings, scale=scale, categories=categories)
    n, k = len(judge), len(categories)
    names = [quantity.model_copy(update={"metric": f"{quantity.metric}_{end}", "bounds": (-1.0, 1.0)}) for end in ("judge", "human", "share")]
    if n == 0 or np.count_nonzero(counts.sum(axis=0)) < 2:
        gone = [absent(name, level=resampling.level, method="bootstrap-percentile", undefined=n) for name in names]
        return gone[0], gone[1], gone[2]
    codes, m = cluster_codes(clusters, n)
    place = {label: index for index, label in enumerate(categories)}
    with_judge = np.zeros((n, k, k))
    for unit, label in enumerate(judge):
        with_judge[unit, place[label]] += counts[unit]
        with_judge[unit, :, place[label]] += counts[unit]
    width = k * k
    rows = np.hstack([_cluster_rows(with_judge, codes, m), _cluster_rows(coincidences(counts), codes, m)])
    totals = resampled_totals(rows, resampling=resampling, stream="alpha-share")
    both = [_alphas(totals[:, part].reshape(-1, k, k), domain, scale) for part in (slice(0, width), slice(width, None))]
    sample = rows.sum(axis=0)
    values = [float(_alphas(sample[part].reshape(1, k, k), domain, scale)[0]) for part in (slice(0, width), slice(width, None))]
    sizes = (n, m)
    first, second = (
        settle_replicates(name, value, drawn[np.isfinite(drawn)], sizes=sizes, m=m, resampling=resampling)
        for name, value, drawn in zip(names, values, both, strict=False)
    )
    if second.low is None or second.low <= 0 or first.value is None:
        return first, second, absent(names[2], level=resampling.level, method="bootstrap-percentile", undefined=n)
    usable = np.isfinite(both[0]) & (both[1] > 0)
    shares = both[0][usable] / both[1][usable]
    ratio = values[0] / values[1]
    if is_degenerate(shares):
        # All objects alike in every resample: the judge's own interval over the fixed ceiling is all that is known.
        interval = (min(first.low or 0.0, ratio) / values[1], (first.high or 1.0) / values[1])
        return first, second, present(names[2], ratio, interval, sizes=sizes, level=resampling.level, method="unanimous")
    interval = percentile_interval(shares, level=resampling.level)
    return first, second, present(names[2], ratio, interval, sizes=sizes, level=resampling.level, method="cluster-bootstrap-percentile")


def _cluster_rows(each: FloatArray, codes: IntArray, m: int) -> FloatArray:
    return cluster_totals(each.reshape(len(each), -1), codes, m)


def _alphas(totals: FloatArray, domain: FloatArray, scale: Scale) -> FloatArray:
    """Alpha of each coincidence matrix of shape ``(r, k, k)``; NaN where one category only was drawn."""
    with np.errstate(all="ignore"):
        observed, expected, _ = alpha_parts(totals, domain, scale)
        return np.where(expected > 0, 1 - observed / np.where(expected > 0, expected, 1.0), np.nan)
