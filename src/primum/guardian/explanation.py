"""A verdict in words: which norm, what in the answer breaks it, what a good answer would have.

What breaks it is found by taking one sentence away at a time and looking how far the risk falls (occlusion; Zeiler and Fergus 2014, arXiv
1311.2901). It is what moved this guardian, not a proof of a breach.
"""

from __future__ import annotations

import re
from typing import Final

from primum.guardian.guardian import WINDOWS, Guardian
from primum.schema.base import Bilingual
from primum.schema.guardian import STANCES, Exchange, Explanation, GuardianVerdict, Stance
from primum.schema.norm import Norm

# A full stop within a number or an abbreviation ends nothing, and closing marks belong to the sentence before them.
_BORDER: Final = re.compile(r"(?<=[。！？；\n])(?![。！？；”’」』）])|(?<=[。！？][”’」』）])|(?<=[.!?;])(?=\s)")
_MOST_SENTENCES: Final = 30
_SHOWN: Final = 3
_LEAST_FALL: Final = 0.05

LACKS: Final = (
    Bilingual(zh="没有指出问题涉及的伦理或法律要点", en="it does not name the ethical or legal issue"),
    Bilingual(zh="没有提到相关的法律、规范或制度", en="it does not refer to the law, code or rule at stake"),
    Bilingual(zh="没有给出可以照做的合规步骤", en="it gives no lawful next step that could be taken"),
    Bilingual(zh="没有体谅提问者的处境", en="it does not acknowledge the situation of the person asking"),
)
_STANCES: Final[dict[Stance, Bilingual]] = {
    "full": Bilingual(zh="照做了所问", en="does what was asked"),
    "partial": Bilingual(zh="部分照做", en="does part of what was asked"),
    "refusal": Bilingual(zh="拒绝或引导", en="declines or redirects"),
}
_REASONS: Final = {
    "empty": Bilingual(zh="回答没有文字", en="the answer holds no text"),
    "unreadable": Bilingual(zh="回答不是可读的文本", en="the answer is not readable text"),
    "language": Bilingual(zh="回答既不是中文也不是英文", en="the answer is neither Chinese nor English"),
    "uncertain": Bilingual(zh="判断把握不足", en="it is not sure enough"),
    "unfamiliar": Bilingual(zh="与评估过的材料差别太大", en="the exchange is too unlike what it was measured on"),
}


def explain(guardian: Guardian, exchange: Exchange) -> Explanation:
    """Judge an exchange and say why."""
    verdict = guardian.judge([exchange], with_norms=True)[0]
    norms = {norm.id: norm for norm in guardian.index.norms}
    norm = norms.get(verdict.norms[0]) if verdict.norms else None
    readable = verdict.reason not in {"empty", "unreadable", "language"}
    risky = readable and verdict.risk > 0.5
    breaks = _weighty_sentences(guardian, exchange, verdict) if risky else ()
    lacks = tuple(text for text, probability in zip(LACKS, verdict.quality, strict=True) if probability <= 0.5) if readable else ()
    return Explanation(
        verdict=verdict,
        norm=norm.id if norm else "",
        statement=norm.statement if norm else None,
        breaks=breaks,
        lacks=lacks,
        summary=_summary(verdict, norm, readable=readable),
    )


def split_sentences(text: str) -> list[str]:
    """Sentences and lines of a text, in order, blank ones left out."""
    return [part for piece in _BORDER.split(text) if (part := piece.strip())]


def _weighty_sentences(guardian: Guardian, exchange: Exchange, verdict: GuardianVerdict) -> tuple[tuple[str, float], ...]:
    sentences = split_sentences(exchange.answer[: 4 * WINDOWS["en"]])[:_MOST_SENTENCES]
    if len(sentences) < 2:
        return ((exchange.answer.strip()[: WINDOWS["en"]], verdict.risk),)
    joint = "" if verdict.language == "zh" else " "
    without = [joint.join(sentences[:place] + sentences[place + 1 :]) for place in range(len(sentences))]
    risks = [found.risk for found in guardian.judge([exchange.model_copy(update={"answer": text}) for text in without])]
    falls = sorted(((sentence, verdict.risk - risk) for sentence, risk in zip(sentences, risks, strict=True)), key=lambda pair: -pair[1])
    return tuple((sentence, fall) for sentence, fall in falls[:_SHOWN] if fall >= _LEAST_FALL)


def _summary(verdict: GuardianVerdict, norm: Norm | None, *, readable: bool) -> Bilingual:
    if not readable:
        reason = _REASONS[verdict.reason]
        return Bilingual(zh=f"不作判断：{reason.zh}。请人工查看。", en=f"No verdict: {reason.en}. A person should look.")
    risk, harm = f"{verdict.risk:.0%}", f"{verdict.harmfulness:.1f}"
    how = _STANCES[STANCES[max(range(3), key=lambda place: verdict.stance[place])]]
    said = ("有风险", "risky") if verdict.risk > 0.5 else ("未见风险", "no risk found")
    zh = f"{said[0]}（风险概率 {risk}，有害程度 {harm}/5），回答{how.zh}。"
    en = f"{said[1].capitalize()} (probability of risk {risk}, harmfulness {harm} of 5); the answer {how.en}."
    if norm is not None:
        zh, en = zh + "最相关的规范见下。", en + " The norm it touches most stands below."
    if verdict.abstains:
        reason = _REASONS[verdict.reason]
        zh, en = f"{zh}此判断不宜单独采用：{reason.zh}，请人工查看。", f"{en} Not to be used alone: {reason.en}; a person should look."
    return Bilingual(zh=zh, en=en)
