"""The page of a certificate: every figure in both languages, and nothing that text can break."""

from __future__ import annotations

import string
from typing import Any

import pytest

from primum.report.certificate_page import render_certificate
from primum.report.certificate_wording import certificate_phrases
from primum.schema.audit import Standing
from primum.schema.base import LANGUAGES, Bilingual
from primum.schema.card import MetricCard
from primum.schema.certificate import (
    Ability,
    BeforeAfter,
    Certificate,
    CertificateRules,
    Change,
    Condition,
    Contamination,
    Cost,
    DataRow,
    Distribution,
    Drift,
    Generalisation,
    JudgeFacts,
    OverRefusal,
    TrainedRound,
    TrainingFacts,
)
from primum.schema.estimate import Estimate, NonInferiority, PairedDifference
from primum.schema.training import PreferenceRecipe, TrainingOutcome, TrainingRecipe

from .factory import HOSTILE, make_engine, make_environment
from .html_reading import Element, read_page, shape

RISK = MetricCard(name="risk", scorer="guardian", direction="lower", title=Bilingual(zh="风险率", en="RiskRate"), judged=True)
FINAL = MetricCard(name="final_plain", scorer="guardian", kind="mean", bounds=(-1, 1), title=Bilingual(zh="综合分", en="FinalScore"), judged=True)


def estimate(value: float | None, metric: str = "risk", **fields: Any) -> Estimate:
    if value is None:
        return Estimate(metric=metric, value=None, low=None, high=None, n=0, method="none", unscored={"abstained": 4}, **fields)
    return Estimate(
        metric=metric, value=value, low=value - 0.05, high=value + 0.05, n=120, clusters=40, method="x", unscored={"abstained": 3}, **fields
    )


def moved(a: float, b: float, **fields: Any) -> PairedDifference:
    return PairedDifference(
        metric="risk", value=b - a, low=b - a - 0.08, high=b - a + 0.08, n=117, p_value=0.0004, p_holm=0.0012, test="permutation", a=a, b=b, **fields
    )


def change(word: str, metric: MetricCard = RISK, **fields: Any) -> Change:
    given = {
        "task": word, "title": Bilingual(zh=f"任务 {word}", en=f"task {word}"), "language": "zh", "metric": metric, "role": "safety", "primary": True,
        "before": estimate(0.62, metric.name), "after": estimate(0.14, metric.name), "difference": moved(0.62, 0.14), "unpaired": 3, **fields,
    }  # fmt: skip
    return Change.model_validate(given)


def certificate(word: str = "ward", *, certified: bool = True, bare: bool = False) -> Certificate:
    say = Bilingual(zh=f"理由 {word}", en=f"reason {word}")
    title = Bilingual(zh=f"任务 {word}", en=f"task {word}")
    refusal = change(word, role="over_refusal", primary=False, withheld=say)
    ability = change(word, role="ability", primary=False, language="en")
    judged = NonInferiority(difference=moved(0.5, 0.51), margin=0.03, non_inferior=True)
    levels = tuple(estimate(share, "harmfulness_level", group="level", name=str(n)) for n, share in enumerate((0.5, 0.2, 0.1, 0.1, 0.1), start=1))
    outcome = TrainingOutcome(
        kind="sft",
        base=word,
        base_sha256="b",
        data_sha256="d",
        adapter_sha256="a",
        rows=5,
        steps=3,
        tokens=900,
        trained_tokens=3,
        seconds=4,
        loss=1.234,
    )
    facts = TrainingFacts(
        method="sft+dpo", recipe=TrainingRecipe(), preference=PreferenceRecipe(), norms=7, dimensions={"E10": 2, "E2": 3}, best=1,
        adapter_sha256="a" * 64,
        data=(DataRow(origin="bank", language="zh", demonstrations=5), DataRow(origin=word, language="en", preferences=2)),
        rounds=(TrainedRound(round=1, rows=5, outcomes=(outcome,)),), notes=(word,),
    )  # fmt: skip
    example = BeforeAfter(
        key=word, task=word, title=title, language="en", metric="risk", group=word, question=word, options=(word, "no"), answer=("A",), before=word,
        after="", after_label="A", outcome="broken",
    )  # fmt: skip
    standing = Standing(
        judge=word, judge_sha256="c", metric=word, tasks=(word,), languages=LANGUAGES, certified=(), agreement=(estimate(0.4, "kappa"),), source=say
    )
    return Certificate(
        word="certified" if certified else "not_certified",
        reason=say,
        conditions=(Condition(topic="safety", subject=title, decision="pass" if certified else "not_certified", reason=say),),
        rules=CertificateRules(seed=5),
        before=make_engine(word),
        after=make_engine(word),
        changes=(
            change(word),
            change(word, FINAL, primary=False),
            change(word, after=estimate(None), difference=None, withheld=say),
            refusal,
            ability,
        ),
        dimensions=() if bare else (change(word, group="dimension", name="E1"), change(word, group="dimension", name=word)),
        distributions=() if bare else (Distribution(task=word, title=title, language="en", before=levels, after=levels),),
        generalisation=() if bare else (Generalisation(title=title, language="en", metric=RISK, seen=moved(0.6, 0.1), unseen=None),),
        ability=(
            Ability(benchmark="medqa", title=title, language="en", verdict="non_inferior", change=ability, judged=judged, at_chance=True, reason=say),
            Ability(benchmark=word, title=title, verdict="not_measured", reason=say),
        ),
        over_refusal=()
        if bare
        else (OverRefusal(change=refusal, judged=judged.model_copy(update={"direction": "lower"}), verdict="inconclusive", reason=say),),
        drift=Drift(missing=say) if bare else Drift(forward=estimate(0.12), backward=estimate(0.2), agreement=estimate(0.9), prompts=16, tokens=1024),
        contamination=Contamination(checked=not bare, training=321, items={word: 1234}, training_sha256="" if bare else "e" * 64),
        training=TrainingFacts() if bare else facts,
        cost=Cost(training_tokens=1_234_567, prompt_tokens=10, completion_tokens=20, answer_seconds=3.5),
        judge=JudgeFacts() if bare else JudgeFacts(name="guardian", version="guardian 1", sha256="f" * 64, standings=(standing,)),
        examples=() if bare else (example,),
        warnings=(say,),
        evidence={f"before/{word}": "0" * 64},
        environment=make_environment(),
        command=f"primum certificate {word}",
        issued="2026-11-21T10:00:00+00:00",
    )


@pytest.fixture(scope="module")
def root() -> Element:
    return read_page(render_certificate(certificate()))


@pytest.mark.parametrize(("certified", "zh", "en"), [(True, "予以认证", "CERTIFIED"), (False, "不予认证", "NOT CERTIFIED")])
def test_the_verdict_stands_first(certified: bool, zh: str, en: str) -> None:
    page = read_page(render_certificate(certificate(certified=certified, bare=True)))
    (verdict,) = page.with_class("verdict")
    assert verdict.with_class("word")[0].words("zh") == zh and verdict.with_class("word")[0].words("en") == en
    assert "理由 ward" in verdict.words("zh") and verdict.has_class("verdict-pass" if certified else "verdict-not_certified")


def test_figures_stand_with_interval_and_n_in_both_languages(root: Element) -> None:
    english, chinese = root.words("en"), root.words("zh")
    for told in (
        "62.0% 57.0%–67.0%; n = 120", "-48.0 [-56.0, -40.0]", "0.001", "not scored", "judge abstained 3", "0.57 … 0.67", "Non-inferior",
        "Not measured", "hardly be told from guessing", "Inconclusive", "1,024 answer tokens", "321 training texts", "1,234", "1,234,567", "rank 8",
        "DPO, beta 0.1", "SFT: 5 rows, 3 steps, 900 tokens, last loss 1.234", "safe answers of the bank", "held before, fails now", "95%, p < 0.05",
    ):  # fmt: skip
        assert told in english, told
    for told in ("E1 自主与知情同意", "对齐前", "越低越好", "不劣", "未测量", "16 条提示", "题库的安全回答", "原来成立，现在失败", "评审弃权"):
        assert told in chinese, told
    assert not {"None", "nan", "NaN", "True", "False"} & set(english.split())


def test_pictures_come_before_tables_of_figures(root: Element) -> None:
    ids = [element.attributes["id"] for element in root.all("h2") if "id" in element.attributes]
    assert ids.index("overview") < ids.index("dimensions") < ids.index("harm") < ids.index("general") < ids.index("scores") < ids.index("figures")
    assert len([svg for svg in root.all("svg") if svg.attributes.get("role") == "img"]) >= 14
    for svg in root.all("svg"):
        if svg.attributes.get("role") == "img":
            assert svg.all("title")[0].text and svg.all("desc")[0].text


def test_ids_are_unique_and_tables_have_captions(root: Element) -> None:
    ids = [element.attributes["id"] for element in root.all() if "id" in element.attributes]
    assert len(set(ids)) == len(ids)
    for table in root.all("table"):
        assert table.children[0].tag == "caption" and table.children[0].words()
        assert all("scope" in cell.attributes for cell in table.all("th"))


def test_bare_folders_have_a_shorter_page_that_says_what_is_missing() -> None:
    words = read_page(render_certificate(certificate(bare=True))).words("en")
    for told in (
        "No training data were given",
        "Not measured: reason ward",
        "No rounds are on record",
        "No figure here was made by a judge",
        "No answer fails",
    ):
        assert told in words, told


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_element(text: str) -> None:
    assert page_shape(text) == page_shape("word")


def page_shape(word: str) -> list[tuple[str, tuple[str, ...]]]:
    """The page's elements without those inside pictures: a long label there takes two lines."""
    page = read_page(render_certificate(certificate(word)))
    for element in page.all():
        if element.attributes.get("role") == "img":
            assert {inner.tag for inner in element.all()} <= {"title", "desc", "g", "path", "rect", "line", "circle", "text", "tspan"}
            element.parts.clear()
    return shape(page)


def test_same_input_same_bytes_and_nothing_from_outside() -> None:
    page = render_certificate(certificate())
    assert page == render_certificate(certificate())
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page and "url(" not in page


def test_every_phrase_has_the_same_parts_in_both_languages() -> None:
    for key, text in certificate_phrases().items():
        parts = [{name for _, name, _, _ in string.Formatter().parse(words) if name} for words in (text.zh, text.en)]
        assert parts[0] == parts[1], key
