"""The pages' own words, in Chinese and in English, and the names of languages, groups and statuses.

Sentences live in ``data/ui/report.yaml``, where a translator can mend them without touching code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from primum.config import load_yaml
from primum.errors import ConfigError
from primum.report.visible_text import make_single_line
from primum.schema.base import LANGUAGES, Bilingual, Language
from primum.schema.taxonomy import DIMENSIONS, PRINCIPLES, SCENES

# Names of groups, files and tasks come from outside; none needs more, and a longer one would fill the page.
_NAME_LIMIT: Final = 300
LANGUAGE_TAGS: Final[dict[Language, str]] = {"zh": "zh-CN", "en": "en"}


@cache
def phrases() -> Mapping[str, Bilingual]:
    """Every phrase by its dotted key.

    Raises:
        ConfigError: The file lacks one of the two languages somewhere.
    """
    return read_phrases("report.yaml")


def read_phrases(file: str) -> dict[str, Bilingual]:
    """The phrases of one file of ``data/ui``, by dotted key.

    Raises:
        ConfigError: The file lacks one of the two languages somewhere.
    """
    path = Path(str(resources.files("primum") / "data" / "ui" / file))
    found: dict[str, Bilingual] = {}
    _collect(path, load_yaml(path), "", found)
    return found


def _collect(path: Path, node: Any, prefix: str, found: dict[str, Bilingual]) -> None:
    if isinstance(node, dict) and set(node) == {"zh", "en"} and all(isinstance(text, str) for text in node.values()):
        found[prefix] = Bilingual.model_validate(node)
    elif isinstance(node, dict) and node:
        for name, child in node.items():
            _collect(path, child, f"{prefix}.{name}" if prefix else str(name), found)
    else:
        raise ConfigError(f"{path}: {prefix}: a phrase needs exactly zh and en", remedy="give both languages")


def phrase(key: str, **parts: object) -> Bilingual:
    """One phrase with its ``{parts}`` filled in; a bilingual part is filled in the language of the sentence.

    Raises:
        KeyError: There is no such phrase, or a part is missing: a fault of the page, not of its data.
    """
    template = phrases()[key]
    return fill(template, parts) if parts else template


def fill(template: Bilingual, parts: Mapping[str, object]) -> Bilingual:
    """A template with its ``{parts}`` filled in, a bilingual part in the language of the sentence.

    Raises:
        KeyError: A part is missing.
    """
    filled = {
        language: template.in_language(language).format(
            **{name: part.in_language(language) if isinstance(part, Bilingual) else str(part) for name, part in parts.items()}
        )
        for language in LANGUAGES
    }
    return Bilingual(**filled)


def language_name(language: str) -> Bilingual:
    """``中文`` / ``Chinese``."""
    return _known("language", language)


def status_name(status: str) -> Bilingual:
    """A score's status, such as ``unparseable``, in words."""
    return _known("status", status)


def group_title(group: str) -> Bilingual:
    """A breakdown's name, such as ``dimension``, in words."""
    return _known("group", group)


def group_value(group: str, name: str) -> Bilingual:
    """A breakdown's value in words: ``E1 自主与知情同意``; names that are not ours are shown as they stand."""
    if group == "dimension" and name in DIMENSIONS:
        title = DIMENSIONS[name]
        return Bilingual(zh=f"{name} {title.zh}", en=f"{name} {title.en}")
    if group == "scene" and name in _scene_names():
        return _scene_names()[name]
    if group == "principle" and name.isdecimal() and int(name) in PRINCIPLES:
        title = PRINCIPLES[int(name)]  # type: ignore[index]
        return Bilingual(zh=f"{name} {title.zh}", en=f"{name} {title.en}")
    return _known(f"value.{group}", name)


def moment(text: str) -> str:
    """``2026-11-21 09:30 UTC`` from an ISO time; anything else as it stands."""
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    if parsed.tzinfo is None:
        return parsed.strftime("%Y-%m-%d %H:%M")
    return parsed.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def method_name(method: str) -> Bilingual:
    """How answers came about (``logprob``, ``generate``), in words."""
    return _known("method", method)


def join_names(names: Sequence[Bilingual]) -> Bilingual:
    """Several names as a list within a sentence."""
    joiner = phrase("run.joiner")
    return Bilingual(zh=joiner.zh.join(name.zh for name in names), en=f"{joiner.en} ".join(name.en for name in names))


def same_in_both(text: str) -> Bilingual:
    """Text that has one form only, such as a name; an empty one becomes a dash."""
    shown = make_single_line(text, limit=_NAME_LIMIT) or "—"
    return Bilingual(zh=shown, en=shown)


def known_sentence(section: str, text: str) -> Bilingual:
    """The translation of a fixed English sentence from elsewhere in Primum; an unknown one is shown as it stands."""
    for key, pair in phrases().items():
        if key.startswith(f"{section}.") and pair.en == text:
            return pair
    return same_in_both(text)


@cache
def _scene_names() -> dict[str, Bilingual]:
    """Scenes by their Chinese and by their English name: runs in either language name them in their own."""
    return {name: scene for scene in SCENES.values() for name in (scene.zh, scene.en)}


def _known(section: str, name: str) -> Bilingual:
    return phrases().get(f"{section}.{name}") or same_in_both(name)
