"""The page of a judge's calibration: every figure in both languages, and nothing that text can break."""

from __future__ import annotations

import pytest

from primum.report.calibration_page import render_calibration
from primum.report.calibration_wording import calibration_phrases, tell_calibration
from primum.schema.base import Bilingual
from primum.schema.estimate import Estimate
from primum.schema.judge_calibration import (
    BarCheck,
    CalibrationVerdict,
    Confusion,
    FittedThreshold,
    HumanCeiling,
    JudgeCalibration,
    LabelCounts,
    ReliabilityBin,
)

from .factory import HOSTILE
from .html_reading import read_page, shape


def made(metric: str, value: float | None = 0.7, group: str = "", name: str = "", **unscored: int) -> Estimate:
    if value is None:
        return Estimate(metric=metric, value=None, low=None, high=None, n=0, method="none", group=group, name=name, unscored=unscored)
    return Estimate(
        metric=metric, value=value, low=value - 0.1, high=value + 0.1, n=120, clusters=60, method="x", group=group, name=name, unscored=unscored
    )


def calibration(word: str = "ward", *, certified: bool = True, bare: bool = False) -> JudgeCalibration:
    reason = Bilingual(zh=f"理由 {word}", en=f"reason {word}")
    check = BarCheck(metric="kappa", bar=0.4, found=0.6, cleared=certified, reason=reason)
    threshold = FittedThreshold(
        rule="false_block_rate",
        limit=0.02,
        threshold=0.1 + 0.2,
        operating=True,
        fitted_n=100,
        fitted_negatives=50,
        fitted_false_blocks=1,
        measurements=(made("false_block_rate", 0.3), made("recall", None, undefined=3)),
    )
    human = HumanCeiling(
        raters=2,
        shared=90,
        measurements=(made("alpha"),),
        judge_alpha=made("alpha_judge"),
        human_alpha=made("alpha_human"),
        share=made("alpha_share"),
    )
    groups = (made("kappa", 0.5, "dimension", "E1"), made("accuracy", 0.8, "dimension", "E1"), made("kappa", None, word, word, too_few=4))
    return JudgeCalibration(
        judge=word,
        judge_sha256="a" * 64,
        target="risk",
        languages=("zh",) if certified else (),
        labels_file=word,
        labels_sha256="b" * 64,
        positive_from=1,
        kappa_weights="unweighted",
        alpha_scale="nominal",
        counts=LabelCounts(
            rows=3, pairs=3, raters=2, labelled=3, ties=0, unlabelled=0, labels={"0": 2, "1": 1}, statuses={"abstained": 1, "scored": 2}
        ),
        measured_rows="all",
        measurements=(made("kappa", abstained=4), made("auprc", 0.8), *groups),
        human=None if bare else human,
        confusion=None if bare else Confusion(categories=(0, 1), counts=((5, 6), (7, 8)), unscored=(1, 2)),
        reliability=() if bare else (ReliabilityBin(low=0.1, high=0.2, mean=0.15, observed=made("observed", 0.3)),),
        thresholds=() if bare else (threshold,),
        bars={"kappa": 0.4, "unscored": 0.2},
        verdict=CalibrationVerdict(decision="certified" if certified else "not_certified", reasons=(reason,), checks=(check,)),
        notes=(reason,),
        seed=0,
        resamples=200,
        level=0.95,
        primum="0",
    )


@pytest.mark.parametrize(("certified", "zh", "en"), [(True, "予以认证", "Certified"), (False, "不予认证", "Not certified")])
def test_the_verdict_and_its_reasons_stand_first(certified: bool, zh: str, en: str) -> None:
    root = read_page(render_calibration(calibration(certified=certified)))
    (verdict,) = [element for element in root.with_class("verdict")]
    assert zh in verdict.words("zh") and en in verdict.words("en") and "理由 ward" in verdict.words("zh")


def test_figures_stand_with_interval_and_n_in_both_languages() -> None:
    root = read_page(render_calibration(calibration()))
    english, chinese = root.words("en"), root.words("zh")
    for told in ("0.70 0.60–0.80", "n", "0.30000000000000004", "20.0%–40.0%", "too few (4)", "judge abstained 4", "not scored", "33.3%"):
        assert told in english, told
    for told in ("Cohen κ", "误拦率", "样本过少（4）", "评审弃权 4", "E1 自主与知情同意", "精确率-召回率曲线下面积等于阳性比例 33.3%"):
        assert told in chinese, told
    assert not {"None", "nan", "NaN"} & set(english.split())


def test_a_judge_of_labels_only_has_a_shorter_page() -> None:
    words = read_page(render_calibration(calibration(bare=True))).words("en")
    assert "Thresholds" not in words and "ceiling" not in words and "Are the scores true" not in words


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_element(text: str) -> None:
    assert shape(read_page(render_calibration(calibration(text)))) == shape(read_page(render_calibration(calibration("word"))))


def test_same_input_same_bytes_and_no_outside_address() -> None:
    page = render_calibration(calibration())
    assert page == render_calibration(calibration())
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page


def test_every_phrase_has_the_same_parts_in_both_languages() -> None:
    import string

    for key, text in calibration_phrases().items():
        parts = [{name for _, name, _, _ in string.Formatter().parse(words) if name} for words in (text.zh, text.en)]
        assert parts[0] == parts[1], key
    with pytest.raises(KeyError):
        tell_calibration("reason.rows", n=3)
