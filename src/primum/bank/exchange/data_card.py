"""A data card in Chinese and in English, made of the bank's own counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from primum.bank.build import BANK_VERSION, FORMS
from primum.runs import layout
from primum.schema.base import LANGUAGES, Bilingual, Language
from primum.schema.item import Item
from primum.schema.norm import NormFile
from primum.schema.taxonomy import DIMENSIONS

_TEXT: Final[dict[str, Bilingual]] = {
    "title": Bilingual(zh="Primum 题库数据卡", en="Data card of Primum's bank"),
    "what": Bilingual(
        zh="本题库用于评测和对齐医学大语言模型的伦理与安全表现。每道题都可追溯到现行法律、准则或指南的具体条款，条款以我们自己的话表述，中英文同编号。",
        en="For measuring and aligning the ethics and safety of medical language models. Every item traces to an article of current law, a code"
        " or a guideline, stated in our own words, in Chinese and English under the same id.",
    ),
    "review": Bilingual(
        zh="审核状态：未经医师审核。题目由开发者依据条款编写并逐条核对；在医师双盲标注和裁定完成之前，任何数字都不代表医师意见。",
        en="Review status: unreviewed. Items were written and checked against the articles by the developers; until physicians have rated them"
        " blind and differences are settled, no figure speaks for a physician.",
    ),
    "limits": Bilingual(
        zh="局限：约四分之三的规范来自中国法；国际来源未附原文核对文本。有害请求与违规示例只表明立场，不含可用的方法、剂量或合成途径。不含任何真实患者信息。不构成法律意见。",
        en="Limits: about three quarters of the norms are Chinese law; international sources come without a text to compare. Harmful requests and"
        " violating examples show a stance only: no usable method, dose or synthesis. No real patient data. Not legal advice.",
    ),
    "licence": Bilingual(zh="许可：CC BY 4.0。", en="Licence: CC BY 4.0."),
    "counts": Bilingual(zh="规模", en="Extent"),
    "forms": Bilingual(zh="题型", en="Forms"),
    "splits": Bilingual(zh="划分", en="Splits"),
    "dimensions": Bilingual(zh="维度", en="Dimensions"),
    "items": Bilingual(zh="题数", en="items"),
}
_SPLITS: Final = {
    "train": Bilingual(zh="训练", en="train"),
    "test": Bilingual(zh="测试（规范从未用于训练）", en="test (norms never trained on)"),
    "seen-norm": Bilingual(zh="见过的规范、新的情境", en="seen norm, new vignette"),
}


def write_cards(folder: Path, files: Sequence[NormFile], items: Mapping[Language, Sequence[Item]]) -> list[Path]:
    """Write ``DATA_CARD.zh.md`` and ``DATA_CARD.en.md``."""
    written = []
    for language in LANGUAGES:
        path = folder / f"DATA_CARD.{language}.md"
        layout.write_bytes(path, _card(files, items[language], language).encode())
        written.append(path)
    return written


def _card(files: Sequence[NormFile], items: Sequence[Item], language: Language) -> str:
    def say(name: str) -> str:
        return _TEXT[name].in_language(language)

    used = [file for file in files if file.norms]
    norms = [norm for file in used for norm in file.norms]
    vignettes = sum(len(norm.vignettes) for norm in norms)
    extent = {
        "zh": f"{len(used)} 个来源、{len(norms)} 条规范、{vignettes} 个情境、每种语言 {len(items)} 题。版本 {BANK_VERSION}。",
        "en": f"{len(used)} sources, {len(norms)} norms, {vignettes} vignettes, {len(items)} items in each language. Version {BANK_VERSION}.",
    }[language]
    forms, splits = Counter(item.groups["form"] for item in items), Counter(item.groups.get("split", "") for item in items)
    dimensions = Counter(item.groups["dimension"] for item in items)
    titles = {name: form.title.in_language(language) for form in FORMS for name in form.name.split("+")}
    blocks = [
        f"# {say('title')}",
        say("what"),
        say("review"),
        say("limits"),
        say("licence"),
        f"## {say('counts')}\n\n{extent}",
        _table(say("forms"), say("items"), [(f"{titles[name]} (`{name}`)", count) for name, count in forms.most_common()]),
        _table(say("splits"), say("items"), [(_SPLITS[name].in_language(language), splits[name]) for name in _SPLITS if splits[name]]),
        _table(say("dimensions"), say("items"), [(f"{key} {title.in_language(language)}", dimensions[key]) for key, title in DIMENSIONS.items()]),
    ]
    return "\n\n".join(blocks) + "\n"


def _table(title: str, column: str, rows: Sequence[tuple[str, int]]) -> str:
    lines = [f"## {title}", "", f"| {title} | {column} |", "| --- | ---: |", *(f"| {name} | {count:,} |" for name, count in rows)]
    return "\n".join(lines)
