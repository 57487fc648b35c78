"""How far the columns of a panel agree on one metric: judges with each other, or a judge with people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from primum.schema.card import MetricCard
from primum.stats.agreement import Label, Scale, Weights, estimate_alpha, estimate_kappa, pair_ratings
from primum.stats.observations import Quantity
from primum.stats.resampling import Resampling


def describe_agreement(
    card: MetricCard, rows: Sequence[Sequence[float | None]], *, clusters: Sequence[str], resampling: Resampling
) -> dict[str, Any]:
    """Krippendorff's alpha of all raters, and Cohen's kappa of two.

    Alpha is nominal for metrics of 0 and 1 and on an interval scale for the others. Kappa is given where every value is a whole level of the
    metric's scale: unweighted for 0 and 1, with quadratic weights for more levels.

    Args:
        card: The metric.
        rows: One row a rater, one column an answer, None without a rating.
        clusters: What each answer shares with others that are not independent of it.
        resampling: Level and seed.
    """
    levels = _levels(card)
    scale: Scale = "nominal" if card.kind == "proportion" else "interval"
    alpha = estimate_alpha(rows, quantity=Quantity(metric="krippendorff_alpha", bounds=(-1, 1)), scale=scale, resampling=resampling)
    kappa = None
    if len(rows) == 2 and levels and all(value is None or value in levels for row in rows for value in row):
        first, second = ([None if value is None else int(value) for value in row] for row in rows)
        pairs = pair_ratings(first, second, categories=levels, clusters=clusters)
        weights: Weights = "unweighted" if card.kind == "proportion" else "quadratic"
        kappa = estimate_kappa(pairs, quantity=Quantity(metric="cohen_kappa", bounds=(-1, 1)), weights=weights, resampling=resampling)
    return {"alpha": alpha.model_dump(mode="json"), "kappa": kappa.model_dump(mode="json") if kappa is not None else None}


def _levels(card: MetricCard) -> list[Label]:
    """All values of a metric that has whole levels; a metric of fractions has none that show in its values."""
    low, high = card.bounds or (0, 1)
    return list(range(int(low), int(high) + 1))
