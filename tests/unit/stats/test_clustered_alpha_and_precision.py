"""Alpha over clusters, a judge's share of it, and average precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primum.stats.agreement import estimate_alpha
from primum.stats.clustered_alpha import estimate_alpha_share, estimate_clustered_alpha
from primum.stats.observations import Quantity
from primum.stats.precision_recall import estimate_auprc
from primum.stats.resampling import Resampling

QUICK = Resampling(resamples=200)
ALPHA = Quantity(metric="alpha")
STEPS = (1, 2, 3, 4, 5)
ratings = st.lists(st.lists(st.sampled_from([*STEPS, None]), min_size=3, max_size=3), min_size=3, max_size=25)


@given(ratings, st.sampled_from(["nominal", "ordinal", "interval"]))
@settings(deadline=None, max_examples=40)
def test_the_value_is_that_of_alpha_whatever_the_clusters(by_object: list[list[int | None]], scale: str) -> None:
    by_rater = [list(column) for column in zip(*by_object, strict=True)]
    plain = estimate_alpha(by_rater, quantity=ALPHA, scale=scale, categories=STEPS, resampling=QUICK)  # type: ignore[arg-type]
    for clusters in (list(range(len(by_object))), [0] * len(by_object)):
        found = estimate_clustered_alpha(by_rater, clusters=clusters, categories=STEPS, quantity=ALPHA, scale=scale, resampling=QUICK)  # type: ignore[arg-type]
        assert (found.value is None) == (plain.value is None) and found.n == plain.n
        if found.value is not None and found.low is not None and found.high is not None:
            assert found.value == pytest.approx(plain.value)
            assert -1 <= found.low <= found.value <= found.high <= 1 or found.value < -1


def test_shared_clusters_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    people = rng.integers(0, 2, 200).tolist()
    # The judge is right throughout a cluster or wrong throughout it.
    judge = [label if (row // 10) % 4 else 1 - label for row, label in enumerate(people)]
    alone, shared = (
        estimate_clustered_alpha([people, judge], clusters=clusters, categories=(0, 1), quantity=ALPHA, resampling=QUICK)
        for clusters in (list(range(200)), [row // 10 for row in range(200)])
    )
    assert alone.high is not None and alone.low is not None and shared.high is not None and shared.low is not None
    assert shared.high - shared.low > 1.5 * (alone.high - alone.low) and shared.clusters == 20


def test_a_judge_who_copies_the_raters_reaches_the_ceiling() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 300)
    raters = [np.where(rng.random(300) < 0.9, truth, 1 - truth).tolist() for _ in range(3)]
    peer = np.where(rng.random(300) < 0.9, truth, 1 - truth).tolist()
    for judge, low, high in ((peer, 0.85, 1.15), (rng.integers(0, 2, 300).tolist(), -0.3, 0.3)):
        first, second, share = estimate_alpha_share(judge, raters, clusters=list(range(300)), categories=(0, 1), quantity=ALPHA, resampling=QUICK)
        assert share.value is not None and first.value is not None and second.value is not None
        assert low < share.value < high and share.value == pytest.approx(first.value / second.value)
        assert share.low is not None and share.high is not None and share.low < share.value < share.high


def test_no_share_without_a_ceiling() -> None:
    empty = estimate_alpha_share([], [[], []], clusters=[], categories=(0, 1), quantity=ALPHA, resampling=QUICK)
    one = estimate_alpha_share([0, 1], [[0, 0], [0, 0]], clusters=[0, 1], categories=(0, 1), quantity=ALPHA, resampling=QUICK)
    whole = estimate_alpha_share([0, 1] * 20, [[0, 1] * 20] * 2, clusters=list(range(40)), categories=(0, 1), quantity=ALPHA, resampling=QUICK)
    assert all(estimate.value is None for estimate in (*empty, *one))
    assert whole[2].value == 1.0 and whole[2].low is not None and whole[2].low < 1.0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=2, max_size=40))
@settings(deadline=None, max_examples=40)
def test_average_precision_is_scikit_learns(found: list[tuple[int, int]]) -> None:
    from sklearn.metrics import average_precision_score

    scores, truth = ([row[side] for row in found] for side in (0, 1))
    estimate = estimate_auprc(scores, truth, quantity=Quantity(metric="auprc"), resampling=Resampling(resamples=100))
    if len(set(truth)) < 2:
        assert estimate.value is None and estimate.unscored == {"undefined": len(found)}
    else:
        assert estimate.value == pytest.approx(average_precision_score(truth, scores))
        assert estimate.low is not None and estimate.high is not None and 0 <= estimate.low <= estimate.high <= 1
