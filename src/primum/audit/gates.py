"""Deciding gates on intervals, fail-closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from primum.audit.standing import find_standing
from primum.errors import ConfigError
from primum.registry import nearest
from primum.schema.audit import Decision, GateResult, RunResult, Standing
from primum.schema.base import Bilingual, Language
from primum.schema.card import MetricCard, TaskCard
from primum.schema.estimate import Estimate
from primum.schema.spec import Gate


def metric_card(task: TaskCard, name: str) -> MetricCard:
    """The card of a task's metric.

    Raises:
        ConfigError: The task has no such metric; names the nearest.
    """
    cards = {card.name: card for card in (*task.metrics, *task.pending)}
    if name not in cards:
        raise ConfigError(f"gate on metric {name!r}: task {task.name} has no such metric", remedy=nearest(name, cards))
    return cards[name]


def check_gate(gate: Gate, task: TaskCard) -> None:
    """Refuse a gate that its task cannot serve, before hours are spent.

    Raises:
        ConfigError: The task lacks the metric or the group.
    """
    metric_card(task, gate.metric)
    if gate.group and gate.group not in task.groups:
        raise ConfigError(f"gate {gate.id!r}: task {task.name} has no group {gate.group!r}", remedy=nearest(gate.group, task.groups))


def decide_gate(
    gate: Gate, runs: Sequence[RunResult], *, unscored_limit: float, standings: Sequence[Standing] = (), judge_sha256: str = ""
) -> Iterator[GateResult]:
    """Decide one gate on each run it applies to, and on each group value for a per-group gate.

    Args:
        gate: The gate.
        runs: All runs of the audit.
        unscored_limit: Largest share of unscored answers that still certifies.
        standings: What is known of judges.
        judge_sha256: The weights of the guardian that judged.
    """
    for run in runs:
        if run.card.name != gate.task or (gate.language and gate.language != run.language):
            continue
        card = metric_card(run.card, gate.metric)
        found = [e for e in run.estimates if e.metric == gate.metric and e.group == gate.group]
        figures: list[Estimate | None] = [*found] or [None]
        standing = find_standing(standings, card, task=gate.task, language=run.language, judge_sha256=judge_sha256) if card.judged else None
        for estimate in figures:
            decision, reason = _decide(gate, card, estimate, unscored_limit)
            if card.judged and decision != "not_certified" and (standing is None or run.language not in standing.certified):
                decision, reason = "not_certified", _not_believed(standing, reason)
            name = estimate.name if estimate is not None else ""
            yield GateResult(gate=gate, language=run.language, name=name, decision=decision, estimate=estimate, reason=reason, standing=standing)


def _not_believed(standing: Standing | None, reason: Bilingual) -> Bilingual:
    """Why a judged figure decides nothing, and what it would have decided."""
    if standing is None:
        zh, en = (
            "评审者在这类回答和语言上与人的一致程度未经测量",
            "the judge's agreement with people on such answers in this language was not measured",
        )
    else:
        zh, en = "评审者与人的一致程度未达门槛", "the judge's measured agreement with people does not clear its bar"
    return _say(f"{zh}，因此不予认证。仅供参考：{reason.zh}", f"Not certified: {en}. For orientation: {reason.en}")


def _decide(gate: Gate, card: MetricCard, estimate: Estimate | None, unscored_limit: float) -> tuple[Decision, Bilingual]:
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return "not_certified", _say("没有可用的评分，无法判定。", "Nothing was scored, so nothing can be decided.")
    if estimate.unscored_share > unscored_limit:
        share, limit = f"{estimate.unscored_share:.1%}", f"{unscored_limit:.1%}"
        return "not_certified", _say(f"未评分占比 {share}，超过上限 {limit}。", f"{share} of the answers are unscored, above the limit of {limit}.")
    if estimate.n < gate.min_n:
        return "not_certified", _say(
            f"仅有 {estimate.n} 个评分，少于所需的 {gate.min_n} 个。", f"Only {estimate.n} scored answers; the gate needs {gate.min_n}."
        )
    if card.heuristic:
        return "not_certified", _say(
            "该指标由启发式规则得出，未经人工标注校准，只作参考。",
            "The scorer is a rule of thumb that was not calibrated against people: shown for orientation only.",
        )
    return _compare(gate, card, estimate)


def withhold_gate(gate: Gate, languages: Sequence[Language], runs: Sequence[RunResult]) -> Iterator[GateResult]:
    """Not certified, for each language in which the gate's task was not run: what was skipped has not passed."""
    present = {run.language for run in runs if run.card.name == gate.task}
    for language in languages:
        if language not in present and gate.language in (None, language):
            reason = _say("该任务被跳过，没有可供判定的结果。", "Its task was skipped, so there is nothing to decide on.")
            yield GateResult(gate=gate, language=language, decision="not_certified", estimate=None, reason=reason)


def _compare(gate: Gate, card: MetricCard, estimate: Estimate) -> tuple[Decision, Bilingual]:
    low, high = estimate.low, estimate.high
    assert low is not None and high is not None  # noqa: S101 - the caller checked
    deciding = low if gate.deciding_end == "low" else high
    upward = gate.comparison == "at_least"
    cleared = deciding >= gate.bar if upward else deciding <= gate.bar
    share = card.kind == "proportion"
    span = f"{low:.1%}–{high:.1%}" if share else f"{low:.3f}–{high:.3f}"
    bar = f"{gate.bar:.1%}" if share else f"{gate.bar:g}"
    if cleared:
        return "pass", _say(f"区间 {span} 达到门槛 {bar}。", f"The interval {span} clears the bar of {bar}.")
    wholly_wrong = high < gate.bar if upward else low > gate.bar
    if wholly_wrong:
        return "fail", _say(
            f"区间 {span} 全部落在门槛 {bar} 的不合格一侧。", f"The whole interval {span} lies on the wrong side of the bar of {bar}."
        )
    return "fail", _say(
        f"区间 {span} 跨越门槛 {bar}，尚未证明达标；增加题量可以缩窄区间。",
        f"The interval {span} straddles the bar of {bar}: not shown to clear it. More items would narrow the interval.",
    )


def decide_verdict(results: Sequence[GateResult]) -> tuple[Decision, Bilingual]:
    """One verdict from all gates: any failed gate fails, otherwise any undecidable one withholds certification."""
    failed = [r for r in results if r.decision == "fail"]
    open_ = [r for r in results if r.decision == "not_certified"]
    counts_zh = f"共 {len(results)} 项判定：{len(results) - len(failed) - len(open_)} 项通过，{len(failed)} 项未通过，{len(open_)} 项不予认证。"
    counts_en = f"{len(results)} decisions: {len(results) - len(failed) - len(open_)} passed, {len(failed)} failed, {len(open_)} not certified."
    if failed:
        return "fail", _say("至少一项门槛未通过。" + counts_zh, "At least one gate failed. " + counts_en)
    if open_ or not results:
        return "not_certified", _say("没有门槛未通过，但部分门槛无法认证。" + counts_zh, "No gate failed, but some cannot be certified. " + counts_en)
    return "pass", _say("全部门槛通过。" + counts_zh, "All gates passed. " + counts_en)


def _say(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)
