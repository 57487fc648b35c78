"""Agreement between raters: published examples, libraries and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primum.errors import InputError, UsageError
from primum.schema.estimate import Estimate
from primum.stats.agreement import (
    RatingPairs,
    alpha_parts,
    coincidences,
    estimate_ac1,
    estimate_alpha,
    estimate_kappa,
    estimate_macro_f1,
    estimate_percent_agreement,
    pair_ratings,
    value_counts,
)
from primum.stats.intervals import clopper_pearson_interval
from primum.stats.observations import Quantity
from primum.stats.resampling import Resampling

Q = Quantity(metric="agreement")
FEW = Resampling(resamples=200)
# Krippendorff 2011, section C: four observers, twelve units, missing ratings.
OBSERVERS: list[list[int | None]] = [
    [int(mark) if mark != "." else None for mark in row] for row in ("12332141 2...".replace(" ", ""), "1233224125.3", ".3332342251.", "12332441251.")
]
LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40)


def _from_table(table: list[list[int]]) -> RatingPairs:
    first = [row for row, counts in enumerate(table) for count in counts for _one in range(count)]
    second = [column for counts in table for column, count in enumerate(counts) for _one in range(count)]
    return pair_ratings(first, second)


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    assert estimate.value is not None and estimate.low is not None and estimate.high is not None
    return estimate.low, estimate.value, estimate.high


def test_kappa_gives_the_textbook_example() -> None:
    """Cells 45, 15, 25, 15, a common worked example after Fleiss & Cohen: kappa = (0.60 - 0.54) / (1 - 0.54) = 0.1304."""
    ratings = _from_table([[45, 15], [25, 15]])
    low, value, high = _ends(estimate_kappa(ratings, quantity=Q))
    assert value == pytest.approx(0.1304, abs=5e-5)
    boot_low, boot_value, boot_high = _ends(estimate_kappa(ratings, quantity=Q, interval="bootstrap", resampling=Resampling(resamples=4000)))
    assert boot_value == value
    assert (boot_low, boot_high) == pytest.approx((low, high), abs=0.03)


def test_kappa_of_three_raters_categories_equals_fleiss_cohen_everitt() -> None:
    """Fleiss, Cohen & Everitt 1969 variance, written out here for an asymmetric table and compared with the library's interval."""
    table = np.array([[53, 5, 2], [11, 14, 5], [1, 6, 3]], dtype=float)
    shares = table / table.sum()
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    agreed, chance = np.trace(shares), float(rows @ columns)
    kappa = (agreed - chance) / (1 - chance)
    total = sum(shares[i, j] * (((1 - chance) if i == j else 0.0) - (columns[i] + rows[j]) * (1 - agreed)) ** 2 for i in range(3) for j in range(3))
    variance = (total - (agreed * chance - 2 * chance + agreed) ** 2) / ((1 - chance) ** 4 * table.sum())
    low, value, high = _ends(estimate_kappa(_from_table(table.astype(int).tolist()), quantity=Q))
    assert value == pytest.approx(kappa)
    assert (high - low) / 2 == pytest.approx(1.959964 * variance**0.5, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(pairs=LABELS, weights=st.sampled_from(["unweighted", "linear", "quadratic"]))
def test_kappa_equals_scikit_learns_and_stays_in_range(pairs: list[tuple[int, int]], weights: str) -> None:
    from sklearn.metrics import cohen_kappa_score

    first, second = [a for a, _b in pairs], [b for _a, b in pairs]
    ratings = pair_ratings(first, second, categories=range(4))
    estimate = estimate_kappa(ratings, quantity=Q, weights=weights, resampling=FEW)  # type: ignore[arg-type]
    if len({*first, *second}) == 1:
        assert estimate.value is None and estimate.unscored == {"undefined": len(pairs)}
        return
    low, value, high = _ends(estimate)
    assert -1 <= low <= value <= high <= 1
    expected = cohen_kappa_score(first, second, labels=list(range(4)), weights=None if weights == "unweighted" else weights)
    assert value == pytest.approx(expected)
    if first == second:
        assert value == 1 and low < 1
    boot = _ends(estimate_kappa(ratings, quantity=Q, weights=weights, interval="bootstrap", resampling=FEW))  # type: ignore[arg-type]
    assert boot[1] == value and boot[0] >= -1 and boot[2] <= 1


def test_perfect_agreement_rests_on_the_exact_bound() -> None:
    ratings = pair_ratings(["no"] * 30 + ["yes"] * 10, ["no"] * 30 + ["yes"] * 10)
    estimate = estimate_kappa(ratings, quantity=Q)
    share = clopper_pearson_interval(40, 40)[0]
    chance = 0.75**2 + 0.25**2
    assert _ends(estimate) == pytest.approx(((share - chance) / (1 - chance), 1.0, 1.0))
    assert estimate.method == "unanimous"
    # Ten samples of each of four items: four observations, and next to nothing is known.
    clustered = estimate_kappa(
        pair_ratings(["no"] * 30 + ["yes"] * 10, ["no"] * 30 + ["yes"] * 10, clusters=[row // 10 for row in range(40)]), quantity=Q
    )
    assert clustered.low is not None and clustered.low < -0.5


def test_kappa_with_shared_clusters_bootstraps_them() -> None:
    rng = np.random.default_rng(0)
    first, second = np.repeat(rng.integers(0, 2, 40), 5), np.repeat(rng.integers(0, 2, 40), 5)
    clusters = np.repeat(np.arange(40), 5).tolist()
    clustered = estimate_kappa(pair_ratings(first.tolist(), second.tolist(), clusters=clusters), quantity=Q)
    naive = estimate_kappa(pair_ratings(first.tolist(), second.tolist()), quantity=Q)
    assert clustered.method == "cluster-bootstrap-percentile" and (clustered.n, clustered.clusters) == (200, 40)
    assert clustered.value == naive.value
    assert _ends(clustered)[2] - _ends(clustered)[0] > 1.7 * (_ends(naive)[2] - _ends(naive)[0])


def test_missing_ratings_are_counted_and_never_zero() -> None:
    ratings = pair_ratings(["a", None, "b", "a"], ["a", "b", None, "b"], categories=("a", "b"))
    assert (ratings.n, ratings.missing) == (2, 2)
    agreement = estimate_percent_agreement(ratings, quantity=Quantity(metric="m", unscored={"missing": 1}))
    assert (agreement.value, agreement.n, agreement.unscored) == (0.5, 2, {"missing": 3})
    nobody = pair_ratings([None], ["a"])
    for estimate in (estimate_kappa, estimate_ac1, estimate_macro_f1, estimate_percent_agreement):
        assert estimate(nobody, quantity=Q).value is None


def test_ratings_that_do_not_fit_are_refused_without_being_quoted() -> None:
    with pytest.raises(InputError, match="second rater: row 1") as caught:
        pair_ratings(["a", "a"], ["a", "patient said so"], categories=("a", "b"))
    assert "patient" not in str(caught.value)
    with pytest.raises(InputError, match="mix words and numbers"):
        pair_ratings(["a", 1], ["a", 1])
    with pytest.raises(InputError, match="rows expected"):
        pair_ratings(["a"], [])
    words = pair_ratings(["low", "high"], ["low", "low"])
    with pytest.raises(UsageError, match="order of words"):
        estimate_kappa(words, quantity=Q, weights="linear")
    assert estimate_kappa(words, quantity=Q).value == 0


def test_weighted_kappa_of_ordered_words_equals_that_of_their_ranks() -> None:
    words, order = ["low", "mid", "high", "mid", "low"], ("low", "mid", "high")
    other = ["low", "high", "high", "low", "low"]
    by_word = estimate_kappa(pair_ratings(words, other, categories=order), quantity=Q, weights="quadratic")
    by_rank = estimate_kappa(pair_ratings([order.index(w) for w in words], [order.index(w) for w in other]), quantity=Q, weights="quadratic")
    assert by_word == by_rank


def test_ac1_gives_gwets_example() -> None:
    """Gwet 2008, table of 125 objects 118, 5, 2, 0: kappa is -0.023 although 94 % agree; AC1 is 0.9408 (also by hand below)."""
    ratings = _from_table([[118, 5], [2, 0]])
    prevalence = (123 + 120) / 250
    chance = 2 * prevalence * (1 - prevalence)
    low, value, high = _ends(estimate_ac1(ratings, quantity=Q, resampling=FEW))
    assert value == pytest.approx((118 / 125 - chance) / (1 - chance)) == pytest.approx(0.9408, abs=5e-5)
    assert low < value < high
    assert _ends(estimate_kappa(ratings, quantity=Q))[1] == pytest.approx(-0.0234, abs=5e-5)


def test_ac1_of_perfect_and_of_single_category_agreement() -> None:
    perfect = estimate_ac1(pair_ratings([0, 1] * 10, [0, 1] * 10), quantity=Q)
    assert _ends(perfect)[1:] == (1.0, 1.0) and _ends(perfect)[0] == pytest.approx(1 - 2 * (1 - 0.025 ** (1 / 20)))
    assert estimate_ac1(pair_ratings([0, 0], [0, 0]), quantity=Q).unscored == {"undefined": 2}
    assert estimate_ac1(pair_ratings([0, 0], [0, 0], categories=(0, 1)), quantity=Q).value == 1.0


@settings(max_examples=40, deadline=None)
@given(pairs=LABELS)
def test_macro_f1_equals_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    from sklearn.metrics import f1_score

    gold, predicted = [a for a, _b in pairs], [b for _a, b in pairs]
    estimate = estimate_macro_f1(pair_ratings(gold, predicted), quantity=Q, resampling=FEW)
    low, value, high = _ends(estimate)
    assert value == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))
    assert 0 <= low <= value <= high <= 1
    if gold == predicted:
        rarest = min(gold.count(label) for label in set(gold))
        assert low == pytest.approx(0.025 ** (1 / rarest))


@pytest.mark.parametrize(("scale", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_gives_krippendorffs_example(scale: str, value: float) -> None:
    """Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C; the unit rated once is left out."""
    estimate = estimate_alpha(OBSERVERS, quantity=Q, scale=scale)  # type: ignore[arg-type]
    low, found, high = _ends(estimate)
    assert found == pytest.approx(value, abs=5e-4)
    assert low < found < high
    assert (estimate.n, estimate.unscored) == (11, {"unpaired": 1})


def test_alpha_of_ordered_words_equals_that_of_numbers() -> None:
    names = ("very low", "low", "mid", "high", "very high")
    words = [[None if mark is None else names[mark - 1] for mark in row] for row in OBSERVERS]
    assert estimate_alpha(words, quantity=Q, scale="ordinal", categories=names, resampling=FEW) == estimate_alpha(
        OBSERVERS, quantity=Q, scale="ordinal", resampling=FEW
    )
    assert _ends(estimate_alpha(words, quantity=Q))[1] == pytest.approx(0.743, abs=5e-4)
    with pytest.raises(UsageError, match="order of words"):
        estimate_alpha(words, quantity=Q, scale="ordinal")
    with pytest.raises(UsageError, match="no interval scale"):
        estimate_alpha(words, quantity=Q, scale="interval")


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.lists(st.sampled_from([None, 1, 2, 4]), min_size=3, max_size=3), min_size=2, max_size=20),
    scale=st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_the_resampled_alpha_is_the_librarys(rows: list[list[int | None]], scale: str) -> None:
    import krippendorff

    units = list(map(list, zip(*rows, strict=True)))
    counts, domain = value_counts(units, scale=scale, categories=None)  # type: ignore[arg-type]
    paired = counts[counts.sum(axis=1) >= 2]
    estimate = estimate_alpha(units, quantity=Q, scale=scale, resampling=FEW)  # type: ignore[arg-type]
    if len(paired) == 0 or np.count_nonzero(paired.sum(axis=0)) < 2:
        assert estimate.value is None
        return
    observed, expected, _worst = alpha_parts(coincidences(paired).sum(axis=0)[None], domain, scale)  # type: ignore[arg-type]
    theirs = krippendorff.alpha(value_counts=paired, value_domain=domain, level_of_measurement=scale)
    assert 1 - observed[0] / expected[0] == pytest.approx(theirs)
    low, value, high = _ends(estimate)
    assert value == pytest.approx(theirs) and low <= value <= high <= 1
    if observed[0] == 0:
        assert value == 1 and low < 1


def test_alpha_is_undefined_without_variety_and_refuses_what_does_not_fit() -> None:
    assert estimate_alpha([[1, 1], [1, 1]], quantity=Q).unscored == {"undefined": 2}
    assert estimate_alpha([], quantity=Q).n == estimate_alpha([[None], [None]], quantity=Q).n == 0
    with pytest.raises(InputError, match="rater 1: 2 rows expected"):
        estimate_alpha([[1, 2], [1]], quantity=Q)
    with pytest.raises(InputError, match="rater 0: object 1"):
        estimate_alpha([[1, 2], [1, 1]], quantity=Q, categories=(1, 3))


def test_perfect_alpha_rests_on_the_exact_bound() -> None:
    """At most 1 - 0.025 ** (1 / 20) of the units disagree; twenty 0s and twenty 1s disagree by chance in 2 * 20 * 20 of 40 * 39 pairs."""
    low, value, high = _ends(estimate_alpha([[0, 1] * 10, [0, 1] * 10], quantity=Q))
    assert (value, high) == (1.0, 1.0)
    assert low == pytest.approx(1 - (1 - 0.025 ** (1 / 20)) / (800 / 1560))


def test_alpha_of_equal_units_is_not_certain() -> None:
    estimate = estimate_alpha([[0] * 6, [1] * 6], quantity=Q)
    low, value, high = _ends(estimate)
    assert value < 0 and low <= value < high and estimate.method == "unanimous"


def test_bootstraps_are_seeded() -> None:
    ratings = _from_table([[45, 15], [25, 15]])
    for estimate in (estimate_macro_f1, estimate_ac1):
        assert estimate(ratings, quantity=Q, resampling=FEW) == estimate(ratings, quantity=Q, resampling=FEW)
        assert estimate(ratings, quantity=Q, resampling=FEW) != estimate(ratings, quantity=Q, resampling=FEW.model_copy(update={"seed": 1}))
