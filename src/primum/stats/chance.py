"""Chance levels of choice questions, and bias towards option positions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from primum.errors import InputError, UsageError
from primum.schema.base import Record
from primum.schema.estimate import Estimate
from primum.schema.item import LETTERS
from primum.stats.intervals import estimate_count, estimate_proportion, settle_unanimous
from primum.stats.observations import Clusters, FloatArray, Quantity, Values, absent, cluster_codes, present, read_values, require_same_length
from primum.stats.resampling import Resampling, cluster_totals, error_interval, is_degenerate, resampled_totals_of_kinds

_RESAMPLING = Resampling()
_MISMATCH = "Pass one entry per item, in the same order."


def chance_level(options: int, *, several: bool = False, defensible: int = 1) -> float:
    """Return the probability that a blind guess is right.

    Args:
        options: Number of options, at least 2.
        several: True where one or more letters may be right and the whole set must match: a guess is one of the ``2 ** options - 1`` non-empty
            sets.
        defensible: How many of the options count as right where one is asked for; 1 but for dilemmas.

    Raises:
        UsageError: If there are fewer than two options.
    """
    if options < 2:
        raise UsageError(f"a choice needs at least two options, not {options}", remedy="Leave items without a choice out.")
    return 1 / (2**options - 1) if several else defensible / options


def correct_for_chance(accuracy: Estimate, *, chances: Values) -> Estimate:
    """Rescale an accuracy so that blind guessing is 0 and perfection is 1.

    ``(accuracy - c) / (1 - c)`` with c the mean chance level of the items. The map is linear and rising, so the interval's ends are mapped too.
    A model below chance gets a negative value; it is not cut at 0, since that would hide a systematic error.

    Args:
        accuracy: Estimate of the accuracy.
        chances: Chance level of each scored item (see `chance_level`), shape ``(accuracy.n,)``; items may differ in their number of options.

    Raises:
        InputError: If there is not one chance level per scored item, or one is not in [0, 1).
    """
    levels = read_values(chances, what="chance levels", bounds=(0.0, 1.0))
    require_same_length(accuracy.n, levels.size, what="chance levels")
    if np.any(levels >= 1):
        raise InputError("an item with chance level 1 tells nothing", remedy="Leave items with a single possible answer out.")
    renamed = {"metric": f"{accuracy.metric}_above_chance", "method": f"{accuracy.method}, chance-corrected"}
    if accuracy.value is None or accuracy.low is None or accuracy.high is None:
        return accuracy.model_copy(update=renamed)
    chance = float(levels.mean())
    ends = {name: (end - chance) / (1 - chance) for name, end in (("value", accuracy.value), ("low", accuracy.low), ("high", accuracy.high))}
    return accuracy.model_copy(update={**renamed, **ends})


class PositionBias(Record):
    """Whether a model prefers option positions, whatever stands there.

    Attributes:
        letters: Positions that occur, in order.
        predicted: How often each was chosen.
        gold: How often each was right.
        n: Items with a prediction.
        chi_square: Pearson's statistic of the chosen letters against the right letters' shares; None where a letter is chosen that is never right,
            or only one letter occurs.
        p_value: Its p, ``len(letters) - 1`` degrees of freedom. It treats choices as drawn afresh, although they are paired with the right letters,
            so it errs on the quiet side for accurate models.
        homogeneity: Stuart-Maxwell's statistic for equal margins of the paired table (right letter by chosen letter); None without errors.
        homogeneity_p: Its p. This is the paired test, and the one to report.
        recalls: Accuracy among the items where each letter is right, with intervals.
        rstd: Standard deviation of those recalls.
    """

    letters: tuple[str, ...]
    predicted: tuple[int, ...]
    gold: tuple[int, ...]
    n: int
    chi_square: float | None
    p_value: float | None
    homogeneity: float | None
    homogeneity_p: float | None
    recalls: tuple[Estimate, ...]
    rstd: Estimate


def measure_position_bias(
    predicted: Sequence[str | None],
    gold: Sequence[str],
    *,
    quantity: Quantity,
    clusters: Clusters | None = None,
    resampling: Resampling = _RESAMPLING,
) -> PositionBias:
    """Measure the preference for option positions of single-choice answers.

    RStd is the population standard deviation of the recalls over the letters that are ever right (Zheng et al. 2024, "Large Language Models Are Not
    Robust Multiple Choice Selectors", arXiv 2309.03882), here as a share and not in points. It is above 0 by chance alone, the more so with few
    items: read the interval's low end, which takes that off.

    Args:
        predicted: Chosen letter per item, or None where none was read (counted as unscored).
        gold: Right letter per item.
        quantity: Name for the estimates.
        clusters: Labels of items that are not independent.
        resampling: Seed, resamples and level.

    Raises:
        InputError: If the columns differ in length or hold anything but single letters.
    """
    require_same_length(len(gold), len(predicted), what="predicted letters")
    if clusters is not None:
        require_same_length(len(gold), len(clusters), what="cluster labels")
    kept = [row for row, letter in enumerate(predicted) if letter is not None]
    chosen = [_letter(predicted[row], row=row) for row in kept]
    right = [_letter(gold[row], row=row) for row in kept]
    labels = None if clusters is None else [clusters[row] for row in kept]
    letters = tuple(sorted({*chosen, *right}))
    table = np.zeros((len(letters), len(letters)), dtype=np.int64)
    for (one, other), count in Counter(zip(right, chosen, strict=True)).items():
        table[letters.index(one), letters.index(other)] = count
    unscored = dict(quantity.unscored)
    if len(kept) < len(gold):
        unscored["no_letter"] = unscored.get("no_letter", 0) + len(gold) - len(kept)
    named = quantity.model_copy(update={"unscored": unscored})
    chi_square, p_value = _goodness_of_fit(table.sum(axis=0), table.sum(axis=1))
    homogeneity, homogeneity_p = _equal_margins(table)
    return PositionBias(
        letters=letters,
        predicted=tuple(int(count) for count in table.sum(axis=0)),
        gold=tuple(int(count) for count in table.sum(axis=1)),
        n=len(kept),
        chi_square=chi_square,
        p_value=p_value,
        homogeneity=homogeneity,
        homogeneity_p=homogeneity_p,
        recalls=tuple(_recalls(right, chosen, letters, quantity=quantity, clusters=labels, level=resampling.level)),
        rstd=_rstd(right, chosen, quantity=named, clusters=labels, resampling=resampling),
    )


def estimate_order_agreement(
    first: Sequence[str | None],
    second: Sequence[str | None],
    shown: Sequence[Sequence[int]],
    *,
    quantity: Quantity,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> Estimate:
    """Estimate how often a model gives the same answer when the options are shown in another order.

    One minus this is the swing. Answers of the second order are mapped back to the first order's letters before they are compared; sets of letters
    (``"ACD"``) must match as sets. The accuracies of both orders are compared with `primum.stats.paired.compare_paired`.

    Args:
        first: Letters chosen in the first order, or None where none was read.
        second: Letters chosen in the second order, or None.
        shown: Per item, ``shown[i][j]`` is the first order's position of the option that stands at position j in the second order.
        quantity: Name for the estimate; pairs with a missing answer are counted as unscored under ``no_letter``.
        clusters: Labels of items that are not independent.
        level: Confidence level.

    Raises:
        InputError: If columns differ in length, a letter is not among the options, or an order is not a permutation.
    """
    require_same_length(len(first), len(second), what="answers in the second order")
    require_same_length(len(first), len(shown), what="option orders")
    labels = list(range(len(first))) if clusters is None else list(clusters)
    require_same_length(len(first), len(labels), what="cluster labels")
    same: list[bool] = []
    kept: list[object] = []
    for row, (one, other, order) in enumerate(zip(first, second, shown, strict=True)):
        if sorted(order) != list(range(len(order))):
            raise InputError(f"option orders: row {row} is not a permutation of 0..{len(order) - 1}", remedy=_MISMATCH)
        if one is None or other is None:
            continue
        same.append(_positions(one, len(order), row=row) == {order[place] for place in _positions(other, len(order), row=row)})
        kept.append(labels[row])
    unscored = dict(quantity.unscored)
    if len(kept) < len(first):
        unscored["no_letter"] = unscored.get("no_letter", 0) + len(first) - len(kept)
    named = quantity.model_copy(update={"unscored": unscored})
    return estimate_proportion(same, quantity=named, clusters=kept, level=level)


def _letter(letter: str | None, *, row: int) -> str:
    if letter is None or len(letter) != 1 or letter not in LETTERS:
        raise InputError(f"letters: row {row} is not a single letter A-Z", remedy="Leave multiple-answer items out of the position test.")
    return letter


def _positions(letters: str, options: int, *, row: int) -> set[int]:
    places = {LETTERS.find(letter) for letter in letters}
    if not places or min(places) < 0 or max(places) >= options:
        raise InputError(f"letters: row {row} names a letter outside its {options} options", remedy=_MISMATCH)
    return places


def _goodness_of_fit(predicted: np.ndarray, gold: np.ndarray) -> tuple[float | None, float | None]:
    if len(gold) < 2 or np.any(gold == 0):
        return None, None
    statistic = float(((predicted - gold) ** 2 / gold).sum())
    return statistic, chi_square_tail(statistic, degrees=len(gold) - 1)


def chi_square_tail(statistic: float, *, degrees: int) -> float:
    """P(X >= statistic) for a chi-square variable with a whole number of degrees of freedom.

    The finite series of Abramowitz and Stegun 26.4.4 and 26.4.5. scipy gives the same number, but the import of scipy.special alone takes longer
    than scoring thousands of answers.
    """
    half = statistic / 2
    if statistic <= 0:
        return 1.0
    if degrees % 2:
        total, term = math.erfc(math.sqrt(half)), 2 * math.sqrt(half / math.pi) * math.exp(-half)
        steps = range(3, degrees + 1, 2)
    else:
        total, term = 0.0, math.exp(-half)
        steps = range(2, degrees + 1, 2)
    for degree in steps:
        total += term
        term *= statistic / degree
    return min(total, 1.0)


def _equal_margins(table: np.ndarray) -> tuple[float | None, float | None]:
    off = table - np.diag(np.diag(table))
    # A letter that is never part of an error adds an empty row and column, which would make the covariance singular.
    part = np.flatnonzero(off.sum(axis=0) + off.sum(axis=1))
    if part.size < 2:
        return None, None
    inner = off[np.ix_(part, part)].astype(np.float64)
    gap = inner.sum(axis=0) - inner.sum(axis=1)
    covariance = np.diag(inner.sum(axis=0) + inner.sum(axis=1)) - inner - inner.T
    # The covariance is a graph Laplacian: its rank is the letters less the groups of letters that are never confused with one another.
    rank = int(np.linalg.matrix_rank(covariance))
    statistic = float(gap @ np.linalg.pinv(covariance) @ gap)
    return statistic, chi_square_tail(statistic, degrees=rank)


def _recalls(
    right: Sequence[str], chosen: Sequence[str], letters: Sequence[str], *, quantity: Quantity, clusters: Clusters | None, level: float
) -> list[Estimate]:
    found = []
    for letter in letters:
        rows = [row for row, gold in enumerate(right) if gold == letter]
        named = Quantity(metric=quantity.metric, group="gold_position", name=letter)
        if not rows:
            found.append(estimate_count(0, 0, quantity=named, level=level))
            continue
        hits = [chosen[row] == letter for row in rows]
        labels = None if clusters is None else [clusters[row] for row in rows]
        found.append(estimate_proportion(hits, quantity=named, clusters=labels, level=level))
    return found


def _rstd(right: Sequence[str], chosen: Sequence[str], *, quantity: Quantity, clusters: Clusters | None, resampling: Resampling) -> Estimate:
    named = quantity.model_copy(update={"metric": f"{quantity.metric}_rstd", "bounds": (0.0, 0.5)})
    counts = Counter(right)
    if len(counts) < 2:
        return absent(named, level=resampling.level, method="bootstrap-percentile", undefined=len(right))
    letters = sorted(counts)
    if clusters is None:
        # Independent answers come in few kinds (right letter, hit or miss): a large run is never spread out into rows.
        kinds = Counter((one, one == other) for one, other in zip(right, chosen, strict=True))
        rows, m = np.array([_kind(letters, one, hit) for one, hit in sorted(kinds)]), len(right)
        times = np.array([kinds[kind] for kind in sorted(kinds)])
    else:
        codes, m = cluster_codes(clusters, len(right))
        every = [_kind(letters, one, one == other) for one, other in zip(right, chosen, strict=True)]
        rows, times = np.unique(cluster_totals(np.array(every), codes, m), axis=0, return_counts=True)
    totals = resampled_totals_of_kinds(rows, times, resampling=resampling, stream="rstd")
    sample, drawn = _shares((rows * times[:, None]).sum(axis=0)[None]), _shares(totals)
    value, sizes = float(np.nanstd(sample)), (len(right), m)
    replicates = np.asarray(np.nanstd(drawn, axis=1))
    if is_degenerate(replicates):
        return settle_unanimous(named, value, sizes=sizes, m=min(m, *counts.values()), level=resampling.level)
    interval = error_interval(value, replicates, np.asarray(np.nanstd(drawn - sample, axis=1)), level=resampling.level)
    method = "bootstrap-error" if m == len(right) else "cluster-bootstrap-error"
    return present(named, value, interval, sizes=sizes, level=resampling.level, method=method)


def _kind(letters: Sequence[str], right: str, hit: bool) -> list[float]:
    """One answer as a row: where the right letter is, then the same where it was chosen."""
    gold = [float(letter == right) for letter in letters]
    return [*gold, *(share * hit for share in gold)]


def _shares(totals: FloatArray) -> FloatArray:
    half = totals.shape[1] // 2
    gold, hits = totals[:, :half], totals[:, half:]
    # A resample may miss a rare letter: its recall is left out of the spread rather than guessed.
    return np.asarray(np.divide(hits, gold, out=np.full_like(gold, np.nan), where=gold > 0))
