"""Norms for tests: small, whole, and changed at will."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def both(text: str) -> dict[str, str]:
    return {"zh": f"甲{text}乙", "en": f"some {text} text"}


def source_document(**change: Any) -> dict[str, Any]:
    return {
        "id": "cn-a-law-2020", "jurisdiction": "CN", "type": "law", "title": {"zh": "中华人民共和国甲法", "en": "A Law"}, "issuer": "x",
        "version": "2020-01-01", "effective": "2020-03-01", "status": "current", "read_at": "x", "checked": "x", **change,
    }  # fmt: skip


def vignette_document(name: str, *, wrong: int = 5, **change: Any) -> dict[str, Any]:
    options = [{**both(f"{name} wrong {number}" + " word" * number), "why": both(f"why {number}")} for number in range(wrong)]
    return {"id": name, **both(f"{name} situation with 3 facts"), "right": both(f"{name} right way to act"), "wrong": options, **change}


def norm_document(number: int = 1, **change: Any) -> dict[str, Any]:
    answers = [
        {"kind": kind, **both(f"answer {kind}")}
        for kind in ("compliant", "compliant_curt", "compliant_alarming", "violating", "violating_quotes_norm")
    ]
    return {
        "id": f"cn-a-law-2020/art-{number}-rule", "article": "第一条", "dimensions": ["E1"], "scenes": ["常规诊疗"], "principles": [8],
        "severity": "high", "bound": "physician", "statement": both(f"statement {number}"), "exceptions": both("exception"),
        "vignettes": [vignette_document(f"v{number}-one"), vignette_document(f"v{number}-two", also_right=[both(f"{number} also right")])],
        "judgements": [
            {**both(f"case {number} {verdict}"), "verdict": verdict, "why": both("reason")}
            for verdict in ("allowed", "forbidden", "allowed_by_exception")
        ],
        "requests": [
            both(f"harmful request {number}"), {**both(f"role play {number}"), "style": "role_play"},
            {**both(f"last turn {number}"), "style": "multi_turn", "turns": [both("first turn"), both("second turn")]},
        ],
        "benign": [both(f"benign {number}")], "answers": answers, **change,
    }  # fmt: skip


def write_norm_file(folder: Path, source: dict[str, Any], norms: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{source['id']}.yaml"
    path.write_text(yaml.safe_dump({"source": source, "norms": norms}, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
