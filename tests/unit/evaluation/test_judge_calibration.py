"""A judge measured against people: figures, halves, bars and the fail-closed verdict."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.errors import DataFormatError, EngineResponseError, UsageError
from primum.evaluation.judge_agreement import Row
from primum.evaluation.judge_calibration import CalibrationOrder, calibrate, threshold_document
from primum.evaluation.judge_targets import find_target, read_bars
from primum.evaluation.judge_thresholds import fit_balanced, fit_false_blocks, split_rows
from primum.evaluation.label_files import LabelFile, LabelledPair, merge
from primum.hashing import canonical_json
from primum.schema.estimate import Estimate
from primum.schema.judge_calibration import JudgeCalibration, Judged, Pair
from primum.stats.resampling import Resampling

QUICK = Resampling(seed=3, resamples=200)


class FakeJudge:
    """Answers by a rule; remembers what it was shown."""

    name, sha256 = "fake", "f" * 64

    def __init__(self, rule: Callable[[Pair], Judged]) -> None:
        self.rule = rule
        self.shown: list[Pair] = []

    def judge(self, pairs: Sequence[Pair]) -> Sequence[Judged]:
        self.shown = list(pairs)
        return [self.rule(pair) for pair in pairs]


def labels(people: Sequence[Sequence[int]], *, ordinal: bool = False, **cells: Callable[[int], str]) -> LabelFile:
    """A file in which pair n carries these raters' labels; the answer's text is its number."""
    pairs = []
    for n, given_labels in enumerate(people):
        told = {name: make(n) for name, make in cells.items()}
        ratings = {f"R{place}": label for place, label in enumerate(given_labels)}
        language = told.pop("language", "en")
        answer = told.pop("answer", str(n))
        pairs.append(
            LabelledPair(
                pair=Pair(key=f"k{n}", prompt=f"q{n}", answer=answer, language=language),
                row=n + 2,
                label=merge(given_labels, ordinal=ordinal),
                ratings=ratings,
                cluster=told.pop("cluster", f"q{n}"),
                groups={"dimension": told.pop("dimension", ""), "language": language, **told},
                verdict=None,
            )
        )
    raters = sorted({rater for pair in pairs for rater in pair.ratings})
    return LabelFile(path=Path("labels.csv"), sha256="a" * 64, rows=len(pairs), raters=tuple(raters), pairs=tuple(pairs))


def run(file: LabelFile, rule: Callable[[Pair], Judged], target: str = "risk", **settings: Any) -> JudgeCalibration:
    settings = {"resampling": QUICK, **settings}
    return calibrate(CalibrationOrder(labels=file, target=find_target(target), judge=FakeJudge(rule), **settings))


def figure(found: JudgeCalibration, metric: str, group: str = "", name: str = "") -> Estimate:
    return next(e for e in found.measurements if (e.metric, e.group, e.name) == (metric, group, name))


def right(pair: Pair) -> Judged:
    return Judged(label=int(pair.answer) % 2)


def scored(pair: Pair) -> Judged:
    """Right nine times in ten."""
    n = int(pair.answer)
    return Judged(score=(n % 2 if n % 10 else 1 - n % 2) * 0.6 + (n * 37 % 100) / 250)


ALTERNATING = [[n % 2] for n in range(200)]


def test_a_judge_who_agrees_is_certified_in_its_languages() -> None:
    found = run(labels(ALTERNATING), right)
    assert found.verdict.decision == "certified" and found.languages == ("en",)
    assert figure(found, "kappa").value == 1.0 and figure(found, "accuracy").n == 200
    assert found.confusion is not None and found.confusion.counts == ((100, 0), (0, 100))
    assert found.thresholds == () and threshold_document(found) is None
    assert found.human is None and found.measured_rows == "all"


def test_figures_equal_those_of_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score, balanced_accuracy_score, cohen_kappa_score, f1_score, roc_auc_score

    rng = random.Random(5)
    people = [[rng.randrange(2)] for _ in range(300)]
    said = [Judged(score=round(0.4 * row[0] + 0.6 * rng.random(), 2), label=row[0] if rng.random() < 0.8 else 1 - row[0]) for row in people]
    found = run(labels(people), lambda pair: said[int(pair.answer)])
    truth, mine = [row[0] for row in people], [verdict.label for verdict in said]
    scores = [verdict.score for verdict in said]
    for metric, expected in {
        "kappa": cohen_kappa_score(truth, mine),
        "macro_f1": f1_score(truth, mine, average="macro"),
        "balanced_accuracy": balanced_accuracy_score(truth, mine),
        "auroc": roc_auc_score(truth, scores),
        "auprc": average_precision_score(truth, scores),
    }.items():
        assert figure(found, metric).value == pytest.approx(expected), metric
    assert found.thresholds and not any(threshold.operating for threshold in found.thresholds)


def test_abstentions_and_faults_are_counted_and_never_guessed() -> None:
    def rule(pair: Pair) -> Judged:
        n = int(pair.answer)
        return Judged(status="abstained") if n % 5 == 0 else Judged(status="judge_error") if n % 20 == 1 else right(pair)

    found = run(labels(ALTERNATING), rule)
    assert dict(found.counts.statuses) == {"abstained": 40, "judge_error": 10, "scored": 150}
    assert figure(found, "kappa").unscored == {"abstained": 40, "judge_error": 10} and figure(found, "kappa").n == 150
    assert found.verdict.decision == "not_certified" and "25.0%" in found.verdict.reasons[0].en and "25.0%" in found.verdict.reasons[0].zh
    assert run(labels(ALTERNATING), rule, bars=read_bars({"unscored": 0.25})).verdict.decision == "certified"
    assert found.confusion is not None and sum(found.confusion.unscored) == 50


def test_a_judge_who_never_answers_is_not_certified() -> None:
    found = run(labels(ALTERNATING), lambda pair: Judged(status="judge_error"), false_block_rate=0.02)
    assert found.verdict.decision == "not_certified" and found.languages == () and found.thresholds == () and found.confusion is None
    assert figure(found, "kappa").value is None


def test_blank_answers_are_counted_and_not_shown() -> None:
    judge = FakeJudge(right)
    file = labels(ALTERNATING, answer=lambda n: "" if n < 6 else str(n))
    found = calibrate(CalibrationOrder(labels=file, target=find_target("risk"), judge=judge, resampling=QUICK))
    assert len(judge.shown) == 194 and found.counts.statuses["empty_answer"] == 6
    assert figure(found, "accuracy").unscored == {"empty_answer": 6}


def test_scores_alone_are_measured_on_the_other_half() -> None:
    found = run(labels(ALTERNATING), scored)
    (threshold,) = found.thresholds
    assert found.measured_rows == "second_half" and threshold.operating and threshold.rule == "balanced_accuracy"
    assert figure(found, "kappa").n == 100 == threshold.fitted_n and figure(found, "auroc").n == 200
    assert figure(found, "kappa").value == next(e.value for e in threshold.measurements if e.metric == "kappa")
    assert sum(found_bin.observed.n for found_bin in found.reliability) == 200


def test_the_threshold_does_not_see_the_half_it_is_measured_on() -> None:
    target = find_target("risk")
    file = labels(ALTERNATING)
    rows = [Row(p.label, p.ratings, p.cluster, p.groups, None, "scored") for p in file.pairs]
    held_out = {row.cluster for row in split_rows(rows, target, seed=QUICK.seed)[1]}

    def spoiled(pair: Pair) -> Judged:
        return Judged(score=0.5) if pair.prompt in held_out else scored(pair)

    honest, other = run(file, scored), run(file, spoiled)
    assert honest.thresholds[0].threshold == other.thresholds[0].threshold
    assert figure(other, "balanced_accuracy").value == 0.5


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=1, max_size=60), st.integers(0, 5))
def test_halves_share_no_cluster_and_do_not_depend_on_order(found: list[tuple[int, int]], seed: int) -> None:
    target = find_target("risk")
    rows = [Row(label, {}, f"c{cluster}", {}, None, "scored") for cluster, label in found]
    first, second = split_rows(rows, target, seed=seed)
    one, other = {row.cluster for row in first}, {row.cluster for row in second}
    assert not one & other and len(first) + len(second) == len(rows)
    assert abs(len(one) - len(other)) <= 1
    assert {row.cluster for row in split_rows(rows[::-1], target, seed=seed)[0]} == one
    positive = {row.cluster for row in rows if row.label}
    if len(positive) >= 2:
        assert positive & one and positive & other


@given(st.lists(st.floats(0, 1, width=16), min_size=1, max_size=60), st.floats(0, 0.99))
def test_the_false_block_threshold_is_the_smallest_that_keeps_the_limit(benign: list[float], limit: float) -> None:
    scores = np.array(benign)
    threshold = fit_false_blocks(scores, limit)
    assert threshold is not None
    assert (scores >= threshold).mean() <= limit + 1e-9
    assert (scores >= np.nextafter(threshold, -1)).mean() > limit - 1e-9


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=2, max_size=40))
def test_the_balanced_threshold_is_the_best(found: list[tuple[int, int]]) -> None:
    scores, truth = (np.array(column, dtype=np.float64) for column in zip(*found, strict=True))

    def balanced(threshold: float) -> float:
        flags = scores >= threshold
        return float((flags[truth == 1].mean() + (~flags)[truth == 0].mean()) / 2)

    threshold = fit_balanced(scores, truth)
    if len(set(truth)) < 2:
        assert threshold is None
    else:
        assert threshold is not None and balanced(threshold) == pytest.approx(max(balanced(t) for t in scores))


def test_benign_traffic_alone_gives_a_threshold_and_no_certificate() -> None:
    found = run(labels([[0]] * 200), lambda pair: Judged(score=int(pair.answer) / 1000), false_block_rate=0.05)
    (threshold,) = found.thresholds
    realised = threshold.measurements[0]
    assert threshold.fitted_false_blocks <= 5 and realised.metric == "false_block_rate" and realised.method == "clopper-pearson"
    assert realised.value is not None and realised.value <= 0.15 and threshold.measurements[1].value is None
    assert found.verdict.decision == "not_certified" and "No row is labelled positive" in found.verdict.reasons[0].en
    document = threshold_document(found)
    assert document is not None and document["certified"] is False and document["labels_sha256"] == "a" * 64


@pytest.mark.parametrize(
    ("people", "settings", "error", "said"),
    [
        ([[0]] * 30, {}, DataFormatError, "every labelled row is 0"),
        ([[1]] * 30, {}, DataFormatError, "add rows that people label 0"),
        ([[1]] * 30, {"false_block_rate": 0.02}, DataFormatError, "no row is benign"),
        (ALTERNATING, {"false_block_rate": 1.0}, UsageError, "between 0 and 1"),
        (ALTERNATING, {"false_block_rate": 0.02, "target": "q1"}, UsageError, "nothing is blocked"),
        (ALTERNATING, {"false_block_rate": 0.02}, UsageError, "labels and no scores"),
    ],
)
def test_orders_that_cannot_be_met(people: list[list[int]], settings: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        run(labels(people), right, **settings)


def test_a_judge_must_answer_every_pair_with_a_label_of_the_target() -> None:
    class Short(FakeJudge):
        def judge(self, pairs: Sequence[Pair]) -> Sequence[Judged]:
            return [right(pair) for pair in pairs][1:]

    with pytest.raises(EngineResponseError, match="199 verdicts on 200 pairs"):
        calibrate(CalibrationOrder(labels=labels(ALTERNATING), target=find_target("risk"), judge=Short(right), resampling=QUICK))
    with pytest.raises(UsageError, match="label that risk does not have"):
        run(labels(ALTERNATING), lambda pair: Judged(label=3))


def test_a_language_must_clear_the_bars_on_its_own() -> None:
    def rule(pair: Pair) -> Judged:
        return right(pair) if pair.language == "en" else Judged(label=int(pair.answer) // 2 % 2)

    found = run(labels([[n % 2] for n in range(400)], language=lambda n: "zh" if n % 10 < 2 else "en"), rule)
    assert found.verdict.decision == "certified" and found.languages == ("en",)
    assert any("Chinese" in reason.en for reason in found.verdict.reasons)


def test_small_groups_are_too_few() -> None:
    found = run(labels(ALTERNATING, dimension=lambda n: "E11" if n < 9 else "E2", ward=lambda n: "A"), right, groups=("ward",))
    small = figure(found, "kappa", "dimension", "E11")
    assert small.value is None and small.unscored == {"too_few": 9}
    assert figure(found, "kappa", "dimension", "E2").n == 191 and figure(found, "kappa", "ward", "A").n == 200
    names = list(dict.fromkeys(e.name for e in found.measurements if e.group == "dimension"))
    assert names == ["E2", "E11"]


def test_harmfulness_is_ordinal() -> None:
    people = [[1 + n % 5, 1 + n % 5] for n in range(200)]
    near = run(labels(people, ordinal=True), lambda pair: Judged(score=min(5.0, 1.4 + int(pair.answer) % 5)), "harmfulness")
    far = run(labels(people, ordinal=True), lambda pair: Judged(label=1 + (int(pair.answer) + 2) % 5), "harmfulness")
    assert near.kappa_weights == "quadratic" and near.measured_rows == "all" and figure(near, "balanced_accuracy").value == 1.0
    kappas = [figure(found, "kappa").value for found in (near, far)]
    assert kappas[0] is not None and kappas[1] is not None and kappas[0] > 0.9 > 0 > kappas[1]
    assert near.reliability == () and near.thresholds[0].rule == "balanced_accuracy"


def test_the_ceiling_counts_ties_and_compares_on_the_same_pairs() -> None:
    rng = random.Random(1)
    people = [[n % 2, n % 2 if rng.random() < 0.8 else 1 - n % 2] for n in range(400)]
    found = run(labels(people), right)
    assert found.human is not None and found.human.shared == 400 and found.counts.ties > 50
    assert figure(found, "accuracy").n == 400 - found.counts.ties
    human, judge = found.human.human_alpha, found.human.judge_alpha
    assert human.n == judge.n == 400
    # The judge says what R0 says: with R0 it agrees wholly, with R1 as R0 does.
    assert human.value is not None and judge.value is not None and judge.value == pytest.approx((1 + human.value) / 2, abs=0.01)
    assert found.human.share.value == pytest.approx(judge.value / human.value)
    assert {estimate.metric for estimate in found.human.measurements} == {"alpha", "kappa", "accuracy"}


def test_raters_who_agree_by_chance_are_no_ceiling() -> None:
    rng = random.Random(2)
    found = run(labels([[rng.randrange(2) for _ in range(3)] for _ in range(120)]), right)
    assert found.human is not None and found.human.share.value is None and found.human.raters == 3


def test_the_bootstrap_respects_clusters() -> None:
    loose, tight = (run(labels(ALTERNATING, cluster=make), lambda pair: Judged(label=int(int(pair.answer) % 2 == (int(pair.answer) // 20 % 3 > 0))))
                    for make in (lambda n: f"q{n}", lambda n: f"c{n // 20}"))  # fmt: skip
    widths = [(figure(found, "kappa").high or 0) - (figure(found, "kappa").low or 0) for found in (loose, tight)]
    assert figure(tight, "kappa").clusters == 10 and widths[1] > widths[0]
    assert figure(loose, "kappa").value == figure(tight, "kappa").value


def test_bars_look_at_lower_ends_and_undefined_figures_do_not_clear() -> None:
    no_scores = run(labels(ALTERNATING), right, bars=read_bars({"auroc": 0.5}))
    assert no_scores.verdict.decision == "not_certified" and "cannot be computed" in no_scores.verdict.reasons[0].en
    chance = run(labels(ALTERNATING), lambda pair: Judged(label=int(pair.answer) // 2 % 2))
    assert chance.verdict.decision == "not_certified" and chance.languages == () and len(chance.verdict.reasons) == 2


def test_equal_input_gives_equal_bytes() -> None:
    one, other = (run(labels([[n % 2, (n // 3) % 2] for n in range(120)]), scored, false_block_rate=0.1) for _ in range(2))
    assert canonical_json(one) == canonical_json(other)
    assert JudgeCalibration.model_validate_json(one.model_dump_json()) == one


def test_few_prompts_are_not_certified_however_many_rows() -> None:
    found = run(labels(ALTERNATING, cluster=lambda n: f"q{n % 9}"), right)
    assert found.verdict.decision == "not_certified" and found.languages == () and "9 independent units" in found.verdict.reasons[0].en
    assert run(labels(ALTERNATING, cluster=lambda n: f"q{n % 50}"), right).verdict.decision == "certified"


def test_nobody_labelled_anything() -> None:
    with pytest.raises(DataFormatError, match="no pair is labelled"):
        run(labels([[0, 1], []]), right)
