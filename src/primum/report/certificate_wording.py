"""The words of a certificate, in Chinese and in English; they live in ``data/ui/certificate.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from primum.report.wording import fill, group_value, language_name, read_phrases, same_in_both
from primum.schema.base import Bilingual
from primum.schema.certificate import Change


@cache
def certificate_phrases() -> Mapping[str, Bilingual]:
    """Every phrase by its dotted key.

    Raises:
        ConfigError: The file lacks one of the two languages somewhere.
    """
    return read_phrases("certificate.yaml")


def tell_certificate(key: str, **parts: object) -> Bilingual:
    """One phrase with its ``{parts}`` filled in; a bilingual part is filled in the language of the sentence.

    Raises:
        KeyError: There is no such phrase, or a part is missing: a fault of the page, not of its data.
    """
    return fill(certificate_phrases()[key], parts)


def known_name(section: str, name: str) -> Bilingual:
    """A fixed name, such as an origin or a method, in words; others are shown as they stand."""
    return certificate_phrases().get(f"{section}.{name}") or same_in_both(name)


def run_name(change: Change) -> Bilingual:
    """Task and language: ``Harmful requests (Chinese)``."""
    return tell_certificate("row.of", title=change.title, language=language_name(change.language))


def change_name(change: Change) -> Bilingual:
    """Task, language and metric, or the group's value of a breakdown."""
    if change.group:
        return group_value(change.group, change.name)
    return tell_certificate("row.metric", title=change.title, language=language_name(change.language), metric=change.metric.title)
