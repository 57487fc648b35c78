"""Average precision: how pure the top of a ranking is, where positives are rare."""

from __future__ import annotations

import numpy as np

from primum.schema.estimate import Estimate
from primum.stats.intervals import settle_replicates
from primum.stats.observations import Clusters, FloatArray, Quantity, Values, absent, cluster_codes, read_binary, read_values, require_same_length
from primum.stats.resampling import Resampling, resampled_weights

_RESAMPLING = Resampling()


def estimate_auprc(
    scores: Values, labels: Values, *, quantity: Quantity, clusters: Clusters | None = None, resampling: Resampling = _RESAMPLING
) -> Estimate:
    """Estimate the area under the precision-recall curve as average precision (no interpolation; Davis & Goadrich 2006, ICML).

    Equal scores enter together. Guessing gives the share of positives, not one half: read it beside that share.

    Args:
        scores: Higher means more likely positive, shape ``(n,)``.
        labels: Zeros and ones, shape ``(n,)``.
        quantity: What is estimated; its scale is set to 0-1.
        clusters: One label per score, or None.
        resampling: Seed, resamples and level.

    Returns:
        The estimate; without a value (``undefined``) where only one class is present.

    Raises:
        InputError: If the columns do not fit.
    """
    marks = read_values(scores, what="scores")
    truth = read_binary(labels, what="labels")
    require_same_length(marks.size, truth.size, what="labels")
    codes, m = cluster_codes(clusters, truth.size)
    named = quantity.model_copy(update={"bounds": (0.0, 1.0)})
    rarer = min(np.unique(codes[truth == side]).size for side in (0, 1))
    if rarer == 0:
        return absent(named, level=resampling.level, method="bootstrap-percentile", undefined=truth.size)
    _, place = np.unique(-marks, return_inverse=True)

    def area(weights: FloatArray) -> float | None:
        positive = np.bincount(place, weights=weights * truth)
        flagged = np.cumsum(np.bincount(place, weights=weights))
        total = positive.sum()
        if total == 0 or total == flagged[-1]:
            return None
        precision = np.divide(np.cumsum(positive), flagged, out=np.zeros_like(flagged), where=flagged > 0)
        return float((positive * precision).sum() / total)

    value = area(np.ones_like(truth))
    assert value is not None  # noqa: S101 - both classes are present
    drawn = [area(weights) for weights in resampled_weights(codes, m, resampling=resampling, stream="auprc")]
    replicates = np.array([one for one in drawn if one is not None])
    return settle_replicates(named, value, replicates, sizes=(truth.size, m), m=rarer, resampling=resampling)
